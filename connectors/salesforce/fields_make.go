package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

// How fields, permission sets and grants are made. Each step looks at what is there, so that one that was stopped is taken up.

// makeMissing makes the fields that are not there, one call each.
func (o *fieldsOfOrg) makeMissing(ctx context.Context) error {
	for i := range o.plan.Fields {
		f := &o.plan.Fields[i]
		if f.Standing != connectors.FieldMissing {
			continue
		}
		op := "make " + f.Object + "." + f.Name
		err := o.call(ctx, call{op: op, method: http.MethodPost, path: "/tooling/sobjects/CustomField",
			body: map[string]any{"FullName": f.Object + "." + f.Name, "Metadata": metadata(f.NewField, o.want.Language)}}, nil)
		switch {
		case hasCode(err, "DUPLICATE_DEVELOPER_NAME"):
			// Another one made it in the meantime, or the answer to our own call was lost.
			f.Standing = connectors.FieldMissing
			if err := o.findHidden(ctx, map[string]bool{}); err != nil {
				return err
			}
			if f.Standing != connectors.FieldHidden && f.Standing != connectors.FieldUnfit {
				return fault.New(fault.Config, op, "the org says that the name is taken, but shows no such field",
					"a deleted field keeps its name for 15 days: an administrator erases it in Setup → Object Manager → "+f.Object+" → Fields → Deleted Fields", err)
			}
			if err := unfitFields(o.plan); err != nil {
				return err
			}
		case err != nil:
			return needs(err, rightFields)
		default:
			o.log.Info("field made", "object", f.Object, "field", f.Name)
			f.Standing, f.Made = connectors.FieldHidden, true // until it is granted
		}
	}
	return nil
}

// needs says which right a refusal is about.
func needs(err error, right string) error {
	if !refused(err) {
		return err
	}
	return fault.New(fault.Auth, "", fmt.Sprintf("the run-as user lacks %q", right),
		"an administrator of the org grants this by a permission set, or deploys the package instead", err)
}

func (o *fieldsOfOrg) giveReaders(ctx context.Context) error {
	return o.grant(ctx, readerSet, false)
}

func (o *fieldsOfOrg) giveIntegration(ctx context.Context) error {
	// Assigned before it grants anything: see MakeFields.
	if len(o.toGrant(integrationSet)) > 0 {
		if err := o.makeSet(ctx, integrationSet); err != nil {
			return err
		}
	}
	if o.toAssign() {
		err := o.create(ctx, "PermissionSetAssignment", map[string]any{"AssigneeId": o.user, "PermissionSetId": o.sets[integrationSet].ID})
		if err != nil {
			return needs(err, rightAssign)
		}
		o.sets[integrationSet].assigned = true
	}
	return o.grant(ctx, integrationSet, true)
}

// makeSet makes a permission set of ours, if it is not there.
func (o *fieldsOfOrg) makeSet(ctx context.Context, name string) error {
	set := o.sets[name]
	if set.ID != "" {
		return nil
	}
	texts := setTexts[name][o.want.Language]
	if err := o.create(ctx, "PermissionSet", map[string]any{"Name": name, "Label": texts[0], "Description": texts[1]}); err != nil {
		return needs(err, rightSets)
	}
	found, err := queryRows[struct{ ID string }](ctx, o.Conn, "look at permission sets", "/query", "SELECT Id FROM PermissionSet WHERE Name = "+quote(name))
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fault.New(fault.Unavailable, "make "+name, "the org does not show the permission set that it has just made", "run it again", nil)
	}
	set.ID = found[0].ID
	o.log.Info("permission set made", "name", name)
	return nil
}

// create makes one record of the org's set-up. One that is there already is as good.
func (o *fieldsOfOrg) create(ctx context.Context, object string, values map[string]any) error {
	err := o.call(ctx, call{op: "make a " + object, method: http.MethodPost, path: "/sobjects/" + object, body: values}, nil)
	if hasCode(err, "DUPLICATE_VALUE", "DUPLICATE_DEVELOPER_NAME") {
		return nil
	}
	return err
}

// grant makes a permission set grant all that toGrant names.
func (o *fieldsOfOrg) grant(ctx context.Context, name string, edit bool) error {
	fields := o.toGrant(name)
	if len(fields) == 0 {
		return nil
	}
	if err := o.makeSet(ctx, name); err != nil {
		return err
	}
	set := o.sets[name]
	var create, update []map[string]any
	for _, f := range fields {
		record := map[string]any{"attributes": map[string]string{"type": "FieldPermissions"}, "PermissionsRead": true, "PermissionsEdit": edit}
		if g := set.grants[f.Object+"."+f.Name]; g.ID != "" {
			record["id"] = g.ID
			update = append(update, record)
			continue
		}
		record["ParentId"], record["SobjectType"], record["Field"] = set.ID, f.Object, f.Object+"."+f.Name
		create = append(create, record)
	}
	for chunk := range slices.Chunk(create, writeSize) {
		if err := o.save(ctx, http.MethodPost, name, chunk); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(update, writeSize) {
		if err := o.save(ctx, http.MethodPatch, name, chunk); err != nil {
			return err
		}
	}
	o.log.Info("fields granted", "permission_set", name, "fields", len(fields))
	return nil
}

// save sends grants of one permission set.
func (o *fieldsOfOrg) save(ctx context.Context, method, set string, records []map[string]any) error {
	op := "grant fields in " + set
	var answer []struct {
		Success bool       `json:"success"`
		Errors  []apiError `json:"errors"`
	}
	err := o.call(ctx, call{op: op, method: method, path: "/composite/sobjects", body: map[string]any{"allOrNone": false, "records": records}}, &answer)
	if err != nil {
		return needs(err, rightSets)
	}
	if len(answer) != len(records) {
		return fault.New(fault.Unavailable, op, fmt.Sprintf("the org answered %d results for %d rows", len(answer), len(records)), "", nil)
	}
	for i, a := range answer {
		if a.Success || len(a.Errors) == 0 || a.Errors[0].code() == "DUPLICATE_VALUE" {
			continue
		}
		return needs(fault.New(fault.Config, op, fmt.Sprintf("the org refused the grant on %v", records[i]["Field"]),
			"the org's own words say why; what was made so far stays, and a second call goes on", &a.Errors[0]), rightSets)
	}
	return nil
}

// wait asks until the org shows all fields as they shall be: its caches lag by seconds, sometimes minutes; C64.
func (o *fieldsOfOrg) wait(ctx context.Context) error {
	pause := o.pause
	for try := 1; ; try++ {
		if _, err := o.describeFields(ctx); err != nil {
			return err
		}
		if err := unfitFields(o.plan); err != nil || o.plan.Right() {
			o.plan.Calls, o.plan.Notes = 0, nil
			return err
		}
		if try == showTries {
			break
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fault.New(fault.Unavailable, "make fields", "stopped before the org showed the fields", "", ctx.Err())
		}
		pause = min(pause*3/2, showMaxPause*o.pause)
	}
	var late []string
	for i := range o.plan.Fields {
		if f := &o.plan.Fields[i]; f.Standing != connectors.FieldRight {
			if f.Standing == connectors.FieldMissing {
				f.Standing = connectors.FieldHidden
			}
			late = append(late, f.Object+"."+f.Name)
		}
	}
	return fault.New(fault.Unavailable, "make fields", "made and granted, but the org does not show the run-as user yet: "+strings.Join(late, ", "),
		"run energyd fields plan again in some minutes", nil)
}
