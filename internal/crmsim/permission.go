package crmsim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// userRights are the rights that permission sets can give, named as their columns are behind "Permissions".
var userRights = []string{"ApiEnabled", "ViewSetup", "CustomizeApplication", "ModifyMetadata", "ManageProfilesPermissionsets",
	"AssignPermissionSets", "ManageUsers", "ViewAllData", "ModifyAllData"}

// permissionObjects are profiles and permission sets with what they grant: rows
// of them decide what the integration user sees.
func permissionObjects() []*object {
	rights := func() (list []*Field) {
		for _, name := range userRights {
			list = append(list, typed("Permissions"+name, Checkbox))
		}
		return list
	}
	boxes := func(names ...string) (list []*Field) {
		for _, name := range names {
			list = append(list, typed("Permissions"+name, Checkbox))
		}
		return list
	}
	ofSet := func() *Field { return required(createOnly(reference("ParentId", "Parent", "PermissionSet"))) }
	objectType := func() *Field { return required(createOnly(text("SobjectType", 40))) }
	return []*object{
		newObject("Profile", "Profiles", "00e", append([]*Field{required(text("Name", 255)), text("Description", 255),
			pick("UserType", Picklist, "Standard")}, rights()...)...).lacking("IsDeleted").setUp("ViewSetup", "ManageProfilesPermissionsets"),
		newObject("PermissionSet", "Permission Sets", "0PS", append([]*Field{required(text("Name", 80)), required(text("Label", 80)),
			text("Description", 255), readOnly(reference("ProfileId", "Profile", "Profile")), readOnly(typed("IsOwnedByProfile", Checkbox)),
			readOnly(typed("IsCustom", Checkbox)), readOnly(pick("Type", Picklist, "Regular", "Profile")), typed("HasActivationRequired", Checkbox),
			text("NamespacePrefix", 15)}, rights()...)...).
			lacking("IsDeleted").setUp("ViewSetup", "ManageProfilesPermissionsets"),
		newObject("PermissionSetAssignment", "Permission Set Assignments", "0Pa",
			required(createOnly(reference("AssigneeId", "Assignee", "User"))), required(createOnly(reference("PermissionSetId", "PermissionSet", "PermissionSet"))),
			readOnly(typed("IsActive", Checkbox)), typed("ExpirationDate", DateTime)).ownedBy("PermissionSetId").
			lacking("IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById").setUp("ViewSetup", "AssignPermissionSets"),
		newObject("FieldPermissions", "Field Permissions", "01k", append([]*Field{ofSet(), objectType(), required(createOnly(text("Field", 255)))},
			boxes("Edit", "Read")...)...).ownedBy("ParentId").
			lacking("IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById").setUp("ViewSetup", "ManageProfilesPermissionsets"),
		newObject("ObjectPermissions", "Object Permissions", "110", append([]*Field{ofSet(), objectType()},
			boxes("Create", "Read", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords")...)...).ownedBy("ParentId").
			lacking("IsDeleted").setUp("ViewSetup", "ManageProfilesPermissionsets"),
		newObject("UserPermissionAccess", "User Permission Access", "0UP", append(rights(), typed("LastCacheUpdate", DateTime))...).
			lacking("IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp").bySystem(),
	}
}

// setUp marks an object of the org's set-up: the rights that its rows are seen and written with.
func (o *object) setUp(sees, writes string) *object {
	o.sees, o.writes = sees, writes
	return o
}

// foundPermissions makes the profile that both users have, with all rights, and
// its hidden permission set. It gives the profile's id.
func (s *Server) foundPermissions() (profile string, err error) {
	with := func(values map[string]any) map[string]any {
		for _, name := range userRights {
			values["Permissions"+name] = true
		}
		return values
	}
	for _, row := range []struct {
		object string
		values map[string]any
	}{
		{"profile", with(map[string]any{"Name": "System Administrator", "UserType": "Standard"})},
		{"permissionset", with(map[string]any{"Name": "X00eAdministrator", "Label": "00eAdministrator", "IsOwnedByProfile": true,
			"Type": "Profile", "ProfileId": newID("00e", 1)})},
		{"userpermissionaccess", nil},
	} {
		if _, err := s.insert(s.objects[row.object], row.values, s.adminRights()); err != nil {
			return "", fmt.Errorf("the org's profile: %w", err)
		}
	}
	return newID("00e", 1), nil
}

// profileSet is the hidden permission set of the users' profile.
func (s *Server) profileSet() string { return newID("0PS", 1) }

// userSets are the ids of the permission sets that the integration user has.
func (s *Server) userSets() map[string]bool {
	sets := map[string]bool{}
	if user := s.find(s.runAs); user != nil {
		for _, set := range s.objects["permissionset"].rows {
			if set.latest("IsOwnedByProfile") == true && set.latest("ProfileId") == user.latest("ProfileId") {
				sets[set.id()] = true
			}
		}
	}
	for _, a := range s.objects["permissionsetassignment"].rows {
		if a.text("AssigneeId") == s.runAs {
			sets[a.text("PermissionSetId")] = true
		}
	}
	return sets
}

// govern applies what profiles and permission sets grant the integration user.
// It runs whenever one of their rows changes. The caller holds s.mu.
func (s *Server) govern() {
	sets := s.userSets()
	s.rights = map[string]bool{}
	for id := range sets {
		for _, name := range userRights {
			if set := s.find(id); set != nil && set.latest("Permissions"+name) == true {
				s.rights[name] = true
			}
		}
	}
	for _, r := range s.objects["userpermissionaccess"].rows {
		row := r.copy()
		for _, name := range userRights {
			i, _ := r.obj.field("Permissions" + name)
			row[i] = s.rights[name]
		}
		r.values = row
	}
	fields, edits := map[string]access{}, map[string]bool{}
	for _, r := range s.objects["fieldpermissions"].rows {
		key, a := lower(r.text("Field")), hidden
		if r.latest("PermissionsRead") == true {
			a = readable
		}
		if r.latest("PermissionsEdit") == true {
			a = editable
		}
		if granted, some := fields[key]; sets[r.text("ParentId")] && (!some || a < granted) {
			fields[key] = a
		}
	}
	for _, r := range s.objects["objectpermissions"].rows {
		if sets[r.text("ParentId")] && r.latest("PermissionsEdit") == true {
			edits[lower(r.text("SobjectType"))] = true
		}
	}
	for _, o := range s.order {
		o.readOnly = o.system || o.view != nil || o.denied && !edits[lower(o.name)]
		for _, f := range o.fields {
			a := f.base
			if granted, some := fields[lower(o.name+"."+f.Name)]; some {
				a = min(a, granted)
			}
			s.allow(o, f, a)
		}
	}
}

// allow sets the integration user's access to a field. An org's caches may show more access late.
func (s *Server) allow(o *object, f *Field, a access) {
	f.granted = a
	if a == f.access {
		delete(s.granting, f)
		return
	}
	if delay := time.Duration(s.grantDelay.Load()); a < f.access && delay > 0 {
		if s.granting[f].o == nil {
			s.granting[f] = lateGrant{o, s.now().Add(delay)}
			s.setNextLate()
		}
		return
	}
	delete(s.granting, f)
	f.access = a
	o.changed = s.now().Unix()
}

// lateGrant is when a field will show what its user may.
type lateGrant struct {
	o   *object
	due time.Time
}

// grantDue shows the grants that are due by the org's clock.
func (s *Server) grantDue(now time.Time) {
	for f, g := range s.granting {
		if !now.Before(g.due) {
			delete(s.granting, f)
			f.access, g.o.changed = f.granted, now.Unix()
		}
	}
}

// grant gives the access to a field that the integration user shall have, whatever was granted before.
func (s *Server) grant(o *object, f *Field, a access) (changes []change, err error) {
	name, sets := o.name+"."+f.Name, s.userSets()
	for _, r := range slices.Clone(s.objects["fieldpermissions"].rows) {
		if strings.EqualFold(r.text("Field"), name) && sets[r.text("ParentId")] {
			changes = append(changes, s.drop(r))
		}
	}
	if !f.custom() || f.Required {
		f.base = a
		s.govern()
		return changes, nil
	}
	if a == hidden {
		return changes, nil
	}
	c, err := s.insert(s.objects["fieldpermissions"], map[string]any{"ParentId": s.profileSet(), "SobjectType": o.name, "Field": name,
		"PermissionsRead": true, "PermissionsEdit": a == editable}, s.adminRights())
	if err != nil {
		s.undo(changes)
		return nil, err
	}
	return append(changes, c), nil
}

// grantOptions grants the fields of Options that no permission set knows yet.
func (s *Server) grantOptions() error {
	known := map[string]bool{}
	for _, r := range s.objects["fieldpermissions"].rows {
		known[lower(r.text("Field"))] = true
	}
	for name, given := range inOrder(s.opt.Fields) {
		for _, f := range given {
			o := s.objects[lower(name)]
			if _, f := o.field(f.Name); f != nil && !known[lower(o.name+"."+f.Name)] {
				if _, err := s.grant(o, f, editable); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// SetRight gives or takes a right of the integration user's profile, such as
// CustomizeApplication. Rights that a permission set gives stay.
func (s *Server) SetRight(name string, granted bool) error {
	if !slices.Contains(userRights, name) {
		return fmt.Errorf("no right is named %q; there are: %s", name, strings.Join(userRights, ", "))
	}
	return s.change(func() (change, error) {
		return s.update(s.objects["permissionset"], s.profileSet(), map[string]any{"Permissions" + name: granted}, s.adminRights())
	})
}

// followPermission refuses grants that an org would refuse.
func (s *Server) followPermission(c change) error {
	r := c.row
	twin := func(fields ...string) *record {
		for _, other := range r.obj.rows {
			if other != r && !slices.ContainsFunc(fields, func(name string) bool { return !strings.EqualFold(other.text(name), r.latestText(name)) }) {
				return other
			}
		}
		return nil
	}
	duplicate := func(fields ...string) error {
		if other := twin(fields...); other != nil {
			return refuse("DUPLICATE_VALUE", nil, "duplicate value found: %s duplicates value on record with id: %s", strings.Join(fields, ", "), other.id()[:15])
		}
		return nil
	}
	switch r.obj.name {
	case "PermissionSet":
		if twin("Name") != nil {
			return refuse("DUPLICATE_DEVELOPER_NAME", []string{"Name"}, "The name %q already exists.", r.latestText("Name"))
		}
		if c.before == nil && r.latest("Type") == nil {
			s.put(r, map[string]any{"Type": "Regular", "IsCustom": true})
		}
	case "PermissionSetAssignment":
		if set := s.find(r.latestText("PermissionSetId")); set.latest("IsOwnedByProfile") == true {
			return refuse("INVALID_CROSS_REFERENCE_KEY", []string{"PermissionSetId"}, "You can't assign a permission set that's owned by a profile")
		}
		return duplicate("AssigneeId", "PermissionSetId")
	case "ObjectPermissions":
		if s.objects[lower(r.latestText("SobjectType"))] == nil {
			return refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", []string{"SobjectType"}, "sObject Type Name: bad value for restricted picklist field: %s", r.latestText("SobjectType"))
		}
		return duplicate("ParentId", "SobjectType")
	case "FieldPermissions":
		object, field, _ := strings.Cut(r.latestText("Field"), ".")
		var f *Field
		if o := s.objects[lower(object)]; o != nil && strings.EqualFold(object, r.latestText("SobjectType")) {
			_, f = o.field(field)
		}
		if f == nil || !f.permissionable() {
			return refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", []string{"Field"}, "Field Name: bad value for restricted picklist field: %s", r.latestText("Field"))
		}
		if r.latest("PermissionsEdit") == true && r.latest("PermissionsRead") != true {
			return refuse("FIELD_INTEGRITY_EXCEPTION", []string{"PermissionsEdit"}, "edit permission depends on read permission")
		}
		return duplicate("ParentId", "Field")
	}
	return nil
}

// permissionable tells of fields that field-level security governs: always visible are the required ones and the org's own.
func (f *Field) permissionable() bool {
	return !f.Required && !f.ReadOnly && !f.absent && !f.internal && f.Type != ID
}
