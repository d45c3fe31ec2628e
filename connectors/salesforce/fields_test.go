package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

// bareOrg is an org with these custom fields of Account and no others.
func bareOrg(t *testing.T, fields ...crmsim.Field) *org {
	t.Helper()
	sim, err := crmsim.New(crmsim.Options{ClientSecret: plantedSecret, Fields: map[string][]crmsim.Field{"Account": fields}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return &org{sim, t, server.URL}
}

func (o *org) maker() *Conn {
	o.t.Helper()
	c := newConn(*config(strings.TrimPrefix(o.url, "http://")), quiet, time.Millisecond)
	o.t.Cleanup(func() { _ = c.Close() })
	return c
}

// changes are the requests so far that change something, "METHOD path"; sign-on does not.
func (o *org) changes() []string {
	var all []string
	for _, r := range o.Log() {
		if path, _, _ := strings.Cut(r.Path, "?"); r.Method != http.MethodGet && !strings.Contains(path, "/oauth2/") {
			all = append(all, r.Method+" "+path)
		}
	}
	return all
}

// right takes a right from the run-as user.
func (o *org) takeRight(name string) {
	o.inject(crmsim.Fault{Name: "right", Field: name, Access: "none"})
}

// granted gives what a permission set grants: "Account.Energy__c" and whether it may be edited.
func (o *org) granted(set string) map[string]bool {
	o.t.Helper()
	id := ""
	sets, err := o.Rows("PermissionSet")
	o.must(err)
	for _, s := range sets {
		if s["Name"] == set {
			id = s["Id"].(string)
		}
	}
	rows, err := o.Rows("FieldPermissions")
	o.must(err)
	grants := map[string]bool{}
	for _, r := range rows {
		if r["ParentId"] == id && r["PermissionsRead"] == true {
			grants[r["Field"].(string)] = r["PermissionsEdit"] == true
		}
	}
	return grants
}

// assigned tells the names of the permission sets that were assigned.
func (o *org) assigned() []string {
	o.t.Helper()
	sets, err := o.Rows("PermissionSet")
	o.must(err)
	rows, err := o.Rows("PermissionSetAssignment")
	o.must(err)
	var names []string
	for _, r := range rows {
		for _, s := range sets {
			if s["Id"] == r["PermissionSetId"] {
				names = append(names, s["Name"].(string))
			}
		}
	}
	return names
}

func allStand(t *testing.T, p connectors.FieldPlan, want connectors.FieldStanding) {
	t.Helper()
	for _, f := range p.Fields {
		if f.Standing != want || want != connectors.FieldUnfit && f.Problem != "" {
			t.Errorf("%s.%s is %s %q; want %s", f.Object, f.Name, f.Standing, f.Problem, want)
		}
	}
}

func TestC64_fields_are_made_granted_and_waited_for(t *testing.T) {
	o, want := bareOrg(t), wanted()
	o.inject(crmsim.Fault{Name: "fls", DelayMS: 30}) // the org shows grants late
	c := o.maker()

	planned, err := c.PlanFields(t.Context(), want)
	o.must(err)
	allStand(t, planned, connectors.FieldMissing)
	if planned.Calls == 0 || len(planned.Rights) > 0 || len(planned.Access) != 2 {
		t.Errorf("the plan is %+v", planned)
	}
	if sent := o.changes(); len(sent) > 0 {
		t.Errorf("planning changed something: %v", sent)
	}

	made, err := c.MakeFields(t.Context(), want)
	o.must(err)
	allStand(t, made, connectors.FieldRight)
	for _, f := range made.Fields {
		if !f.Made {
			t.Errorf("%s.%s does not count as made", f.Object, f.Name)
		}
	}
	edit, read := map[string]bool{}, map[string]bool{}
	for _, f := range want.Fields {
		edit[f.Object+"."+f.Name] = true
		if !f.Confidential {
			read[f.Object+"."+f.Name] = false
		}
	}
	if diff := cmp.Diff(edit, o.granted(integrationSet)); diff != "" {
		t.Errorf("the integration set grants otherwise (+):\n%s", diff)
	}
	if diff := cmp.Diff(read, o.granted(readerSet)); diff != "" {
		t.Errorf("the reader set grants otherwise (+):\n%s", diff)
	}
	if got := o.assigned(); !slices.Equal(got, []string{integrationSet}) {
		t.Errorf("assigned: %v; want %s alone", got, integrationSet)
	}
	fields, err := c.Describe(t.Context(), "Account")
	o.must(err)
	i := slices.IndexFunc(fields, func(f connectors.Field) bool { return f.Name == "Energy__c" })
	if i < 0 {
		t.Fatal("describe does not show Energy__c")
	}
	if want := (connectors.Field{Name: "Energy__c", Label: "温度", Type: connectors.Number, Precision: 12, Scale: 3, Updateable: true, Custom: true}); fields[i] != want {
		t.Errorf("Energy__c is %+v; want %+v", fields[i], want)
	}
}

func TestC65_second_apply_changes_nothing(t *testing.T) {
	o, want := bareOrg(t), wanted()
	c := o.maker()
	planned, err := c.PlanFields(t.Context(), want)
	o.must(err)
	calls := len(o.Log())
	_, err = c.MakeFields(t.Context(), want)
	o.must(err)
	if n := len(o.Log()) - calls; n != planned.Calls {
		t.Errorf("it took %d calls; the plan said %d", n, planned.Calls)
	}
	before := o.changes()
	calls = len(o.Log())
	again, err := c.MakeFields(t.Context(), want)
	o.must(err)
	allStand(t, again, connectors.FieldRight)
	if diff := cmp.Diff(before, o.changes()); diff != "" {
		t.Errorf("the second apply changed something:\n%s", diff)
	}
	if n := len(o.Log()) - calls; n > 3 {
		t.Errorf("the second apply took %d calls; want one describe for each of 3 objects", n)
	}
	if again.Calls != 0 || len(again.Access) > 0 || slices.ContainsFunc(again.Fields, func(f connectors.FieldState) bool { return f.Made }) {
		t.Errorf("the second apply says %+v", again)
	}
}

func TestC65_field_that_was_made_in_the_meantime(t *testing.T) {
	o, want := bareOrg(t), wanted()
	// The org makes it, and its answer is lost: the repeated call is refused as a duplicate.
	o.inject(crmsim.Fault{Name: "status", Match: "POST /services/data/v[0-9.]+/tooling/sobjects/CustomField", Times: 1, Cut: "after"})
	made, err := o.maker().MakeFields(t.Context(), want)
	o.must(err)
	allStand(t, made, connectors.FieldRight)
	if n := len(slices.DeleteFunc(o.changes(), func(r string) bool { return !strings.HasSuffix(r, "/CustomField") })); n != len(want.Fields)+1 {
		t.Errorf("%d calls to make %d fields; want one more", n, len(want.Fields))
	}
}

func TestC66_unfit_field_stops_before_anything_is_changed(t *testing.T) {
	for name, tt := range map[string]struct {
		there crmsim.Field
		say   string
	}{
		"date":                {crmsim.Field{Name: "Energy__c", Type: crmsim.Date}, "it is date; energyd needs number(12, 3)"},
		"text for a number":   {crmsim.Field{Name: "Energy__c", Type: crmsim.Text, Length: 80}, "it is text(80)"},
		"percent":             {crmsim.Field{Name: "Energy__c", Type: crmsim.Percent, Precision: 16, Scale: 3}, "it is percent"},
		"currency":            {crmsim.Field{Name: "Energy__c", Type: crmsim.Currency, Precision: 16, Scale: 3}, "it is currency"},
		"scale too small":     {crmsim.Field{Name: "Energy__c", Type: crmsim.Number, Precision: 18, Scale: 2}, "it is number(18, 2)"},
		"too few digits":      {crmsim.Field{Name: "Energy__c", Type: crmsim.Number, Precision: 10, Scale: 4}, "it is number(10, 4)"},
		"text too short":      {crmsim.Field{Name: "Energy_Band__c", Type: crmsim.Text, Length: 39}, "it is text(39); energyd needs text(40), or longer"},
		"checkbox for a text": {crmsim.Field{Name: "Energy_Band__c", Type: crmsim.Checkbox}, "it is boolean"},
		"restricted picklist": {crmsim.Field{Name: "Energy_Band__c", Type: crmsim.Picklist, Values: []string{"熱"}, Restricted: true}, "it is picklist"},
		"time for a date":     {crmsim.Field{Name: "Energy_Band_Until__c", Type: crmsim.DateTime}, "it is datetime"},
	} {
		for _, hide := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/hidden %v", name, hide), func(t *testing.T) {
				o, want := bareOrg(t, tt.there), wanted()
				if hide {
					o.must(o.HideField("Account", tt.there.Name))
				}
				p, err := o.maker().MakeFields(t.Context(), want)
				if fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" {
					t.Fatalf("%v; want a config fault with a hint", err)
				}
				if hide {
					tt.say = "energyd needs"
				}
				i := slices.IndexFunc(p.Fields, func(f connectors.FieldState) bool { return f.Object == "Account" && f.Name == tt.there.Name })
				if f := p.Fields[i]; f.Standing != connectors.FieldUnfit || !strings.Contains(f.Problem, tt.say) {
					t.Errorf("%s is %s: %q; want %q", f.Name, f.Standing, f.Problem, tt.say)
				}
				if sent := o.changes(); len(sent) > 0 {
					t.Errorf("something was changed: %v", sent)
				}
			})
		}
	}
}

func TestFields_that_are_there_and_larger_are_left_alone(t *testing.T) {
	there := []crmsim.Field{
		{Name: "Energy__c", Label: "熱量", Type: crmsim.Number, Precision: 18, Scale: 4},
		{Name: "Energy_Band__c", Label: "段階", Type: crmsim.Picklist, Values: []string{"熱"}, Length: 255},
		{Name: "Energy_Band_Until__c", Label: "期限", Type: crmsim.Date},
	}
	o, want := bareOrg(t, there...), wanted()
	o.must(o.ReadOnlyField("Account", "Energy_Band_Until__c"))
	c := o.maker()
	p, err := c.PlanFields(t.Context(), want)
	o.must(err)
	got := map[string]connectors.FieldStanding{}
	for _, f := range p.Fields {
		got[f.Object+"."+f.Name] = f.Standing
	}
	if diff := cmp.Diff(map[string]connectors.FieldStanding{"Account.Energy__c": connectors.FieldRight, "Account.Energy_Band__c": connectors.FieldRight,
		"Account.Energy_Band_Until__c": connectors.FieldReadOnly, "Contact.Energy__c": connectors.FieldMissing, "User.Energy__c": connectors.FieldMissing}, got); diff != "" {
		t.Fatal(diff)
	}
	made, err := c.MakeFields(t.Context(), want)
	o.must(err)
	allStand(t, made, connectors.FieldRight)
	if _, extra := o.granted(integrationSet)["Account.Energy__c"]; extra {
		t.Error("a field that could be edited before is granted again")
	}
	fields, err := c.Describe(t.Context(), "Account")
	o.must(err)
	for _, f := range fields {
		for _, was := range there {
			if f.Name == was.Name && f.Label != was.Label {
				t.Errorf("%s is labelled %q now; it was %q", f.Name, f.Label, was.Label)
			}
		}
	}
}

func TestFields_hidden_ones_are_granted_not_made(t *testing.T) {
	o, want := bareOrg(t, crmsim.Field{Name: "Energy__c", Type: crmsim.Number, Precision: 18, Scale: 3}), wanted()
	o.must(o.HideField("Account", "Energy__c"))
	want.Fields = want.Fields[:1]
	c := o.maker()
	p, err := c.PlanFields(t.Context(), want)
	o.must(err)
	if f := p.Fields[0]; f.Standing != connectors.FieldHidden || f.Found != "number(18, 3)" {
		t.Fatalf("Energy__c is %+v; want it hidden", f)
	}
	made, err := c.MakeFields(t.Context(), want)
	o.must(err)
	allStand(t, made, connectors.FieldRight)
	if slices.ContainsFunc(o.changes(), func(r string) bool { return strings.HasSuffix(r, "/CustomField") }) {
		t.Errorf("a field was made that was there: %v", o.changes())
	}
}

func TestFields_grant_of_ours_that_only_reads_is_widened(t *testing.T) {
	o, want := bareOrg(t, crmsim.Field{Name: "Energy__c", Type: crmsim.Number, Precision: 18, Scale: 3}), wanted()
	o.must(o.HideField("Account", "Energy__c"))
	want.Fields = want.Fields[:1]
	set := o.insert("PermissionSet", map[string]any{"Name": integrationSet, "Label": "energyd"})
	o.insert("FieldPermissions", map[string]any{"ParentId": set, "SobjectType": "Account", "Field": "Account.Energy__c", "PermissionsRead": true, "PermissionsEdit": false})
	o.insert("PermissionSetAssignment", map[string]any{"PermissionSetId": set, "AssigneeId": o.runAs()})
	made, err := o.maker().MakeFields(t.Context(), want)
	o.must(err)
	allStand(t, made, connectors.FieldRight)
	if edit, ok := o.granted(integrationSet)["Account.Energy__c"]; !ok || !edit {
		t.Error("the grant still does not edit")
	}
}

// runAs is the id of the run-as user.
func (o *org) runAs() string {
	o.t.Helper()
	users, err := o.Rows("User")
	o.must(err)
	for _, u := range users {
		if u["Username"] == "integration@crm.example" {
			return u["Id"].(string)
		}
	}
	o.t.Fatal("the org has no integration user")
	return ""
}

func TestC67_missing_right_is_named_and_nothing_is_changed(t *testing.T) {
	for right, said := range map[string]string{
		"CustomizeApplication": rightFields, "ManageProfilesPermissionsets": rightSets, "AssignPermissionSets": rightAssign, "ViewSetup": rightSetup,
	} {
		t.Run(right, func(t *testing.T) {
			o, want := bareOrg(t), wanted()
			o.takeRight(right)
			p, err := o.maker().MakeFields(t.Context(), want)
			if fault.KindOf(err) != fault.Auth || fault.HintOf(err) == "" || !strings.Contains(err.Error(), said) {
				t.Fatalf("%v; want an auth fault that names %q", err, said)
			}
			if !slices.ContainsFunc(p.Rights, func(r connectors.Right) bool { return r.Name == said && r.For != "" }) {
				t.Errorf("the plan lacks %+v; want %q", p.Rights, said)
			}
			if sent := o.changes(); len(sent) > 0 {
				t.Errorf("something was changed: %v", sent)
			}
			standing := connectors.FieldMissing
			if right == "ViewSetup" {
				standing = connectors.FieldUnseen // it cannot be told
			}
			allStand(t, p, standing)
		})
	}
}

func TestC67_object_that_may_not_be_edited(t *testing.T) {
	o, want := bareOrg(t), wanted()
	o.inject(crmsim.Fault{Name: "fls", Object: "User", Access: "readonly"})
	_, err := o.maker().MakeFields(t.Context(), want)
	if fault.KindOf(err) != fault.Auth || !strings.Contains(err.Error(), "Manage Users") {
		t.Fatalf("%v; want an auth fault that names Manage Users", err)
	}
	if sent := o.changes(); len(sent) > 0 {
		t.Errorf("something was changed: %v", sent)
	}
}

// TestC67_right_that_only_trying_shows has an org that does not tell its rights.
func TestC67_right_that_only_trying_shows(t *testing.T) {
	o, want := bareOrg(t), wanted()
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "UserPermissionAccess") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `[{"errorCode":"INVALID_FIELD","message":"No such column 'PermissionsViewSetup' on entity 'UserPermissionAccess'."}]`)
			return
		}
		o.ServeHTTP(w, r)
	}))
	defer silent.Close()
	o.url = silent.URL
	o.takeRight("CustomizeApplication")
	c := o.maker()
	p, err := c.PlanFields(t.Context(), want)
	o.must(err)
	if len(p.Notes) != 1 || len(p.Rights) > 0 {
		t.Errorf("the plan says %v and lacks %v; want a note that rights are not known", p.Notes, p.Rights)
	}
	if _, err := c.MakeFields(t.Context(), want); fault.KindOf(err) != fault.Auth || !strings.Contains(err.Error(), rightFields) {
		t.Errorf("%v; want an auth fault that names %q", err, rightFields)
	}
}

// TestFields_killed_apply_is_finished_by_the_next stops after each change in turn.
func TestFields_killed_apply_is_finished_by_the_next(t *testing.T) {
	want := wanted()
	whole := bareOrg(t)
	_, err := whole.maker().MakeFields(t.Context(), want)
	whole.must(err)
	steps := len(whole.changes())
	if steps < len(want.Fields)+5 {
		t.Fatalf("an apply makes %d changes", steps)
	}
	for n := 1; n <= steps; n++ {
		t.Run(fmt.Sprintf("after change %d of %d", n, steps), func(t *testing.T) {
			o := bareOrg(t)
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			var left atomic.Int64
			left.Store(int64(n))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				change := r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/oauth2/")
				if !change || left.Add(-1) >= 0 {
					o.ServeHTTP(w, r)
				}
				if change && left.Load() <= 0 {
					kill() // the change is made; who made it hears nothing any more
				}
			}))
			defer server.Close()
			killed := &org{o.Server, t, server.URL}
			if _, err := killed.maker().MakeFields(ctx, want); err == nil && n < steps {
				t.Fatal("it was not stopped")
			}
			made, err := o.maker().MakeFields(t.Context(), want)
			o.must(err)
			allStand(t, made, connectors.FieldRight)
			for _, set := range []string{integrationSet, readerSet} {
				if diff := cmp.Diff(whole.granted(set), o.granted(set)); diff != "" {
					t.Errorf("%s grants otherwise (+) than after one go:\n%s", set, diff)
				}
			}
			if got := o.assigned(); !slices.Equal(got, []string{integrationSet}) {
				t.Errorf("assigned: %v", got)
			}
		})
	}
}

func TestFields_names_that_no_custom_field_can_have(t *testing.T) {
	for name, fits := range map[string]bool{
		"Energy__c": true, "A__c": true, "energy_now_2__c": true,
		"Energy": false, "9th__c": false, "Energy___c": false, "a__Energy__c": false, "温度__c": false, strings.Repeat("a", 41) + "__c": false,
	} {
		if got := nameProblem(name); (got == "") != fits {
			t.Errorf("%s: %q", name, got)
		}
	}
}
