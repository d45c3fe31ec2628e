package salesforce

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"energyd/connectors"
	"energyd/internal/fault"
)

// The permission sets that carry the rights on energyd's fields, and nothing
// else: which records and objects somebody may see stays the admin's business.
const (
	integrationSet = "Energyd_Integration"
	readerSet      = "Energyd_Reader"
)

// setTexts are label and description of each permission set, by language.
var setTexts = map[string]map[string][2]string{
	integrationSet: {
		"ja": {"energyd", "energyd が書き込む項目の参照と編集。energyd の実行ユーザーだけに割り当てます。"},
		"en": {"energyd", "Read and edit the fields that energyd writes. For energyd's run-as user alone."},
	},
	readerSet: {
		"ja": {"energyd 参照", "energyd が書き込む項目の参照。温度を見る営業担当に割り当てます。"},
		"en": {"energyd reader", "Read the fields that energyd writes. For the sales people who shall see them."},
	},
}

// Rights as Setup calls them, and the columns of UserPermissionAccess that tell of them.
const (
	rightFields = "Customize Application"
	rightSets   = "Manage Profiles and Permission Sets"
	rightAssign = "Assign Permission Sets"
	rightSetup  = "View Setup and Configuration"
)

var rightColumns = map[string]string{
	rightFields: "PermissionsCustomizeApplication",
	rightSets:   "PermissionsManageProfilesPermissionsets",
	rightAssign: "PermissionsAssignPermissionSets",
	rightSetup:  "PermissionsViewSetup",
}

// PlanFields compares; salesforce.md section 16, C64 to C67.
func (c *Conn) PlanFields(ctx context.Context, want connectors.SetUp) (connectors.FieldPlan, error) {
	o, err := c.lookAtFields(ctx, want)
	if err != nil {
		return connectors.FieldPlan{}, err
	}
	return o.plan, nil
}

// MakeFields makes what is missing by the Tooling API. What it makes last is
// what lets the signed-on user edit: once all fields are right, nothing else
// can be left to do, whenever it was killed.
func (c *Conn) MakeFields(ctx context.Context, want connectors.SetUp) (connectors.FieldPlan, error) {
	o, err := c.lookAtFields(ctx, want)
	if err != nil {
		return connectors.FieldPlan{}, err
	}
	if err := unfitFields(o.plan); err != nil {
		return o.plan, err
	}
	if err := lackingRights(o.plan); err != nil {
		return o.plan, err
	}
	if o.plan.Right() {
		return o.plan, nil
	}
	for _, step := range []func(context.Context) error{o.makeMissing, o.giveReaders, o.giveIntegration} {
		if err := step(ctx); err != nil {
			return o.plan, err
		}
	}
	err = o.wait(ctx)
	return o.plan, err
}

// unfitFields is the fault of a plan with fields that cannot be used; C66.
func unfitFields(p connectors.FieldPlan) error {
	var said []string
	for _, f := range p.Fields {
		if f.Standing == connectors.FieldUnfit {
			said = append(said, fmt.Sprintf("%s.%s: %s", f.Object, f.Name, f.Problem))
		}
	}
	if len(said) == 0 {
		return nil
	}
	return fault.New(fault.Config, "make fields", strings.Join(said, "; "),
		"nothing was changed; name another field under write: in energyd.yaml, or let the org's administrator rename or widen the one that is there", nil)
}

// lackingRights is the fault of a plan that the signed-on user may not carry out; C67.
func lackingRights(p connectors.FieldPlan) error {
	if len(p.Rights) == 0 {
		return nil
	}
	var said []string
	for _, r := range p.Rights {
		said = append(said, fmt.Sprintf("%q (%s)", r.Name, r.For))
	}
	return fault.New(fault.Auth, "make fields", "the run-as user lacks "+strings.Join(said, ", "),
		"nothing was changed; an administrator of the org grants this by a permission set, or deploys the package instead", nil)
}

// fieldsOfOrg is the org as far as it matters to the wanted fields.
type fieldsOfOrg struct {
	*Conn
	want connectors.SetUp
	plan connectors.FieldPlan
	user string                    // id of the signed-on user
	sets map[string]*permissionSet // ours, by name; without an id when it is not there
}

type permissionSet struct {
	ID       string
	assigned bool                       // to the signed-on user
	grants   map[string]fieldPermission // by "Account.Energy__c"
}

type fieldPermission struct {
	ID    string
	Field string
	Read  bool `json:"PermissionsRead"`
	Edit  bool `json:"PermissionsEdit"`
}

// lookAtFields finds out how the org stands. What it may not look at ends up among the rights that are missing.
func (c *Conn) lookAtFields(ctx context.Context, want connectors.SetUp) (*fieldsOfOrg, error) {
	o := &fieldsOfOrg{Conn: c, want: want, sets: map[string]*permissionSet{
		integrationSet: {grants: map[string]fieldPermission{}}, readerSet: {grants: map[string]fieldPermission{}},
	}}
	o.plan = connectors.FieldPlan{Fields: make([]connectors.FieldState, len(want.Fields)), Access: []connectors.Access{}, Rights: []connectors.Right{}}
	for i, f := range want.Fields {
		o.plan.Fields[i].NewField = f
	}
	editable, err := o.describeFields(ctx)
	if err != nil || o.plan.Right() {
		return o, err
	}
	lacks, err := o.lacking(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.findHidden(ctx, lacks); err != nil {
		return nil, err
	}
	if err := o.findSets(ctx, lacks); err != nil {
		return nil, err
	}
	o.tally(lacks, editable)
	return o, nil
}

// describeFields sets the fields' standings by what describe shows, and tells which objects' records the user may edit.
func (o *fieldsOfOrg) describeFields(ctx context.Context) (editable map[string]bool, err error) {
	editable = map[string]bool{}
	shown := map[string]*sobject{}
	for i := range o.plan.Fields {
		f := &o.plan.Fields[i]
		if shown[f.Object] == nil {
			if shown[f.Object], err = o.describe(ctx, f.Object); err != nil {
				return nil, err
			}
			editable[f.Object] = shown[f.Object].Updateable
		}
		d, ok := shown[f.Object].field(f.Name)
		if !ok {
			f.Standing, f.Found, f.Problem = connectors.FieldMissing, "", nameProblem(f.Name)
			if f.Problem != "" {
				f.Standing = connectors.FieldUnfit
			}
			continue
		}
		f.Found = described(d)
		switch f.Problem = misfit(f.NewField, d); {
		case f.Problem != "":
			f.Standing = connectors.FieldUnfit
		case d.Updateable:
			f.Standing = connectors.FieldRight
		default:
			f.Standing = connectors.FieldReadOnly
		}
	}
	return editable, nil
}

// customName is what can follow an object's name: letters, digits and single low lines, then __c.
var customName = regexp.MustCompile(`^[A-Za-z](?:_?[A-Za-z0-9])*__c$`)

// nameProblem says why a field that is not there cannot be made under its name.
func nameProblem(name string) string {
	switch {
	case !strings.HasSuffix(name, "__c"):
		return "the org does not show it, and energyd makes only custom fields, whose names end in __c"
	case !customName.MatchString(name), len(name) > 40+len("__c"):
		return "no custom field can have this name: up to 40 letters, digits and single low lines, then __c"
	}
	return ""
}

// described writes a field's type and size for people.
func described(f field) string {
	if f.Calculated {
		return "formula"
	}
	if t := fieldType(f.Type); t == connectors.Number && (f.Type == "percent" || f.Type == "currency") || t == connectors.Other {
		return f.Type
	}
	return connectors.Shape(fieldType(f.Type), f.Length, max(f.Precision, f.Digits), f.Scale)
}

// misfit says why a field that is there cannot be used for want; "" when it can.
func misfit(want connectors.NewField, f field) string {
	digits := max(f.Precision, f.Digits) - f.Scale
	is := fmt.Sprintf("it is %s; energyd needs %s", described(f), want.Shape())
	switch t := fieldType(f.Type); {
	case f.Calculated:
		return is
	case want.Type == connectors.Text && t == connectors.Picklist && !f.RestrictedPicklist:
		return "" // it takes any text
	case t != want.Type, f.Type == "percent", f.Type == "currency":
		return is
	case t == connectors.Text && f.Length > 0 && f.Length < want.Length:
		return is + ", or longer"
	case t == connectors.Number && (f.Scale < want.Scale || digits < want.Precision-want.Scale):
		return is + ", or larger"
	}
	return ""
}

// lacking asks which of rightColumns the signed-on user has not. An org that does not tell lacks none: trying shows it.
func (o *fieldsOfOrg) lacking(ctx context.Context) (map[string]bool, error) {
	lacks := map[string]bool{}
	names := slices.Sorted(maps.Values(rightColumns))
	rows, err := queryRows[map[string]any](ctx, o.Conn, "ask for the run-as user's rights", "/query",
		"SELECT "+strings.Join(names, ", ")+" FROM UserPermissionAccess LIMIT 1")
	if refused(err) || err == nil && len(rows) != 1 {
		o.plan.Notes = append(o.plan.Notes, "the org does not tell whether the run-as user may make fields: trying it shows that")
		return lacks, nil
	}
	if err != nil {
		return nil, err
	}
	for right, column := range rightColumns {
		if has, _ := rows[0][column].(bool); !has {
			lacks[right] = true
		}
	}
	return lacks, nil
}

// refused tells whether the org kept something of its set-up from the signed-on user.
func refused(err error) bool {
	return hasCode(err, "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INVALID_TYPE", "INVALID_FIELD", "NOT_FOUND", "FUNCTIONALITY_NOT_ENABLED")
}

// findHidden tells the fields that describe does not show apart: not there, or hidden by field-level security.
func (o *fieldsOfOrg) findHidden(ctx context.Context, lacks map[string]bool) error {
	var missing []*connectors.FieldState
	var names []string
	for i := range o.plan.Fields {
		if f := &o.plan.Fields[i]; f.Standing == connectors.FieldMissing {
			missing = append(missing, f)
			names = append(names, quote(developerName(f.Name)))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(names)
	rows, err := queryRows[customField](ctx, o.Conn, "look for custom fields", "/tooling/query",
		"SELECT Id, DeveloperName, TableEnumOrId FROM CustomField WHERE NamespacePrefix = null AND DeveloperName IN ("+strings.Join(slices.Compact(names), ", ")+")")
	if refused(err) {
		lacks[rightSetup] = true
		for _, f := range missing {
			f.Standing = connectors.FieldUnseen
		}
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range missing {
		found, err := o.definition(ctx, rows, f.NewField)
		if err != nil {
			return err
		}
		if found == nil {
			continue
		}
		f.Standing, f.Found, f.Problem = connectors.FieldHidden, found.described(), found.misfit(f.NewField)
		if f.Problem != "" {
			f.Standing = connectors.FieldUnfit
		}
	}
	return nil
}

// developerName is a custom field's name without its ending, as the Tooling API has it.
func developerName(name string) string { return strings.TrimSuffix(name, "__c") }

// metadataTypes are the types that energyd makes.
var metadataTypes = map[connectors.FieldType]string{
	connectors.Text: "Text", connectors.Number: "Number", connectors.Day: "Date", connectors.Datetime: "DateTime",
}

// ours ends each field's description, for administrators.
var ours = map[string]string{
	"ja": "energyd が書き込みます。手で変更した値は上書きされません。",
	"en": "Written by energyd. A value that somebody changes by hand is not overwritten.",
}

// findSets reads what our permission sets grant and whether the signed-on user has them.
func (o *fieldsOfOrg) findSets(ctx context.Context, lacks map[string]bool) error {
	const op = "look at permission sets"
	err := func() error {
		var resources struct{ Identity string }
		if err := o.call(ctx, call{op: op, method: http.MethodGet}, &resources); err != nil {
			return err
		}
		if o.user = resources.Identity[strings.LastIndex(resources.Identity, "/")+1:]; longID(o.user) == "" {
			return fault.New(fault.Unavailable, op, "the org does not say who is signed on", "", nil)
		}
		sets, err := queryRows[struct{ ID, Name string }](ctx, o.Conn, op, "/query",
			fmt.Sprintf("SELECT Id, Name FROM PermissionSet WHERE Name IN (%s, %s)", quote(integrationSet), quote(readerSet)))
		if err != nil || len(sets) == 0 {
			return err
		}
		named := map[string]*permissionSet{} // by id
		var ids []string
		for _, s := range sets {
			if set := o.sets[s.Name]; set != nil {
				set.ID, named[longID(s.ID)] = s.ID, set
				ids = append(ids, quote(s.ID))
			}
		}
		within := "(" + strings.Join(ids, ", ") + ")"
		grants, err := queryRows[struct {
			ParentID string
			fieldPermission
		}](ctx, o.Conn, op, "/query", "SELECT Id, ParentId, Field, PermissionsRead, PermissionsEdit FROM FieldPermissions WHERE ParentId IN "+within)
		if err != nil {
			return err
		}
		for _, g := range grants {
			if set := named[longID(g.ParentID)]; set != nil {
				set.grants[g.Field] = g.fieldPermission
			}
		}
		assigned, err := queryRows[struct {
			PermissionSetID string
		}](ctx, o.Conn, op, "/query", fmt.Sprintf("SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = %s AND PermissionSetId IN %s", quote(o.user), within))
		for _, a := range assigned {
			if set := named[longID(a.PermissionSetID)]; set != nil {
				set.assigned = true
			}
		}
		return err
	}()
	if refused(err) {
		lacks[rightSetup] = true
		return nil
	}
	return err
}

// tally tells what is to be done, what it costs, and which rights it needs that are missing.
func (o *fieldsOfOrg) tally(lacks, editable map[string]bool) {
	p := &o.plan
	missing := 0
	for _, f := range p.Fields {
		if f.Standing == connectors.FieldMissing || f.Standing == connectors.FieldUnseen {
			missing++
		}
	}
	for _, a := range []connectors.Access{
		{Name: readerSet, For: "lets sales people see the fields", Grants: len(o.toGrant(readerSet))},
		{Name: integrationSet, For: "lets energyd see and edit the fields", Grants: len(o.toGrant(integrationSet)), Assign: o.toAssign()},
	} {
		a.New = a.Grants > 0 && o.sets[a.Name].ID == ""
		if !a.New && a.Grants == 0 && !a.Assign {
			continue
		}
		p.Access = append(p.Access, a)
		for _, done := range []bool{a.New, a.New, a.Grants > 0, a.Assign} { // a new one is made, and asked for its id
			if done {
				p.Calls++
			}
		}
	}
	p.Calls += missing
	if p.Calls > 0 {
		p.Calls += 2*len(editable) + 4 // to look again before and after: at each object, and at rights, fields, user and sets
	} else if !p.Right() {
		p.Notes = append(p.Notes, "everything is made and granted already; the org has not shown it to the run-as user yet")
	}
	need := func(needed bool, right, what string) {
		if needed && lacks[right] {
			p.Rights = append(p.Rights, connectors.Right{Name: right, For: what})
		}
	}
	need(p.Calls > 0, rightSetup, "to see which fields and permission sets there are")
	need(missing > 0, rightFields, "to make fields")
	need(len(p.Access) > 0, rightSets, "to make permission sets and grant the fields in them")
	need(o.toAssign(), rightAssign, "to give the permission set to the run-as user")
	for _, object := range slices.Sorted(maps.Keys(editable)) {
		if editable[object] {
			continue
		}
		if object == "User" {
			p.Rights = append(p.Rights, connectors.Right{Name: "Manage Users", For: "to write into records of User"})
			continue
		}
		p.Rights = append(p.Rights, connectors.Right{Name: "Edit on " + object, For: "to write into its records; the permission set grants only fields"})
	}
}

// toGrant gives the wanted fields that a permission set of ours is still to grant: those that the run-as user cannot edit yet.
func (o *fieldsOfOrg) toGrant(set string) []connectors.NewField {
	var fields []connectors.NewField
	for _, f := range o.plan.Fields {
		if f.Confidential && set == readerSet {
			continue
		}
		g := o.sets[set].grants[f.Object+"."+f.Name]
		if f.Standing != connectors.FieldRight && f.Standing != connectors.FieldUnfit && (!g.Read || !g.Edit && set == integrationSet) {
			fields = append(fields, f.NewField)
		}
	}
	return fields
}

func (o *fieldsOfOrg) toAssign() bool { return !o.sets[integrationSet].assigned && !o.plan.Right() }

// How often, and how long in multiples of the first pause, the org is asked for what it just got: some minutes in all.
const (
	showTries    = 25
	showMaxPause = 15
)

// queryRows asks a query of few rows below path and decodes them.
func queryRows[T any](ctx context.Context, c *Conn, op, path, soql string) ([]T, error) {
	var all []T
	what := call{op: op, method: http.MethodGet, path: path, query: url.Values{"q": {soql}}}
	for {
		var page struct {
			Records []T    `json:"records"`
			Done    bool   `json:"done"`
			Next    string `json:"nextRecordsUrl"`
		}
		if err := c.call(ctx, what, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Records...)
		if page.Done || page.Next == "" {
			return all, nil
		}
		what = call{op: op, method: http.MethodGet, path: page.Next}
	}
}
