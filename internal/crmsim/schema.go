package crmsim

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Type is a field's type. Its value is what describe calls it.
type Type string

// The field types.
const (
	ID           Type = "id"
	Reference    Type = "reference"
	Text         Type = "string"
	LongTextArea Type = "textarea"
	Phone        Type = "phone"
	Email        Type = "email"
	URL          Type = "url"
	Picklist     Type = "picklist"
	Combobox     Type = "combobox"
	Checkbox     Type = "boolean"
	Integer      Type = "int"
	Number       Type = "double"
	Currency     Type = "currency"
	Percent      Type = "percent"
	Date         Type = "date"
	DateTime     Type = "datetime"
	AnyType      Type = "anyType"      // a value as another field has it, in histories
	Complex      Type = "complexvalue" // JSON of its own
)

// Field is one field of an object. Custom fields have names that end in __c.
type Field struct {
	Name, Label      string
	Type             Type
	Length           int      `json:",omitempty"` // of texts, in characters
	Precision, Scale int      `json:",omitempty"` // of numbers: digits in all, digits after the point
	Values           []string `json:",omitempty"` // of a picklist
	Restricted       bool     `json:",omitempty"` // the picklist takes its Values only
	ReferenceTo      []string `json:",omitempty"` // objects that a reference may point to; several = polymorphic
	Relationship     string   `json:",omitempty"` // how queries follow the reference: "Account" of AccountId
	ExternalID       bool     `json:",omitempty"`
	Unique           bool     `json:",omitempty"` // ignoring case
	Required         bool     `json:",omitempty"`
	ReadOnly         bool     `json:",omitempty"` // nobody writes it through the API
	Calculated       bool     `json:",omitempty"` // a formula; only the Go API sets its value
	Description      string   `json:",omitempty"` // for admins
	Help             string   `json:",omitempty"` // for those who fill it in
	Lines            int      `json:",omitempty"` // that a page shows of a long text
	Default          string   `json:",omitempty"` // of a checkbox: "true", "false"

	absent     bool   // the object does not have this system field
	internal   bool   // kept with the row, seen by nobody
	createOnly bool   // given when the row is made, and stays
	access     access // of the integration user, by field-level security, as the org shows it
	granted    access // what access will be once the org's caches know
	base       access // what there is without a permission set's grant
}

type access int

const (
	editable access = iota
	readable
	hidden
)

func (f *Field) custom() bool  { return strings.HasSuffix(f.Name, "__c") }
func (f *Field) visible() bool { return !f.absent && !f.internal && f.access != hidden }
func (f *Field) creatable() bool {
	return f.visible() && !f.ReadOnly && !f.Calculated && f.access == editable
}
func (f *Field) writable() bool { return f.creatable() && !f.createOnly }

// longText tells of fields that can be neither compared nor sorted by.
func (f *Field) longText() bool {
	return f.Type == LongTextArea || f.Type == AnyType || f.Type == Complex
}

// Positions of the fields that every object begins with.
const (
	colID = iota
	colDeleted
	colCreated
	colCreatedBy
	colModified
	colModifiedBy
	colStamp
)

func systemFields() []*Field {
	user := []string{"User"}
	return []*Field{
		{Name: "Id", Label: "Record ID", Type: ID, Length: 18, ReadOnly: true},
		{Name: "IsDeleted", Label: "Deleted", Type: Checkbox, ReadOnly: true},
		{Name: "CreatedDate", Label: "Created Date", Type: DateTime, ReadOnly: true},
		{Name: "CreatedById", Label: "Created By ID", Type: Reference, ReferenceTo: user, Relationship: "CreatedBy", ReadOnly: true},
		{Name: "LastModifiedDate", Label: "Last Modified Date", Type: DateTime, ReadOnly: true},
		{Name: "LastModifiedById", Label: "Last Modified By ID", Type: Reference, ReferenceTo: user, Relationship: "LastModifiedBy", ReadOnly: true},
		{Name: "SystemModstamp", Label: "System Modstamp", Type: DateTime, ReadOnly: true},
	}
}

// object is one type of record with its rows.
type object struct {
	name, label, plural, prefix string
	fields                      []*Field
	byName                      map[string]int          // of the fields, as spelled and in lower case
	readOnly                    bool                    // the integration user may not edit it
	denied                      bool                    // the profile lets nobody edit it
	sees, writes                string                  // the rights that an object of the set-up needs
	changes                     func()                  // told of every change of a row; nil = nobody cares
	system                      bool                    // only the org itself makes and changes rows
	owner                       int                     // column of the reference to the row that a row belongs to; 0 = none
	view                        *selection              // the rows are those of another object
	find                        func(id string) *record // a row of any object of the org
	changed                     int64                   // when the fields changed last, Unix seconds

	rows   []*record // in the order of their ids
	byID   map[string]*record
	unique map[int]map[string]*record // by column of a Unique field, then by lower-case value
	last   uint64                     // number of the newest id
	gone   []removal                  // rows that left no trace but in the change feed, oldest first
}

// removal is a row that is gone for good: not even in the bin.
type removal struct {
	id string
	at int64 // Unix seconds
}

// selection is a filtered look at the rows of another object with the same columns.
type selection struct {
	of    *object
	shows func(*record) bool
}

func newObject(name, plural, prefix string, fields ...*Field) *object {
	o := &object{name: name, label: spaced(name), plural: plural, prefix: prefix, byName: map[string]int{}}
	for _, f := range append(systemFields(), fields...) {
		o.add(f)
	}
	o.clear()
	return o
}

// ownedBy names the reference to the row that a row belongs to.
func (o *object) ownedBy(reference string) *object {
	o.owner, _ = o.field(reference)
	return o
}

// lacking takes system fields away that the object does not have.
func (o *object) lacking(fields ...string) *object {
	for _, name := range fields {
		_, f := o.field(name)
		f.absent = true
	}
	return o
}

// bySystem is an object that only the org itself writes.
func (o *object) bySystem() *object { o.system, o.readOnly = true, true; return o }

// add appends a field; rows read nil in it until it is set.
func (o *object) add(f *Field) {
	if f.Label == "" {
		f.Label = spaced(f.Name)
	}
	o.byName[f.Name], o.byName[strings.ToLower(f.Name)] = len(o.fields), len(o.fields)
	o.fields = append(o.fields, f)
}

func (o *object) clear() {
	o.rows, o.byID, o.last, o.gone = nil, map[string]*record{}, 0, nil
	o.unique = map[int]map[string]*record{}
	for i, f := range o.fields {
		if f.Unique {
			o.unique[i] = map[string]*record{}
		}
	}
}

// field finds a field by name, ignoring case.
func (o *object) field(name string) (int, *Field) {
	i, ok := o.byName[name] // nearly always as spelled
	if !ok {
		i, ok = o.byName[strings.ToLower(name)]
	}
	if !ok || o.fields[i].absent {
		return -1, nil
	}
	return i, o.fields[i]
}

// visible finds a field that the integration user may see.
func (o *object) visible(name string) (int, *Field) {
	if i, f := o.field(name); f != nil && f.visible() {
		return i, f
	}
	return -1, nil
}

var wordBorder = regexp.MustCompile(`([a-z])([A-Z])`)

// spaced makes a label of a name: "AnnualRevenue" becomes "Annual Revenue".
func spaced(name string) string {
	name = strings.ReplaceAll(strings.TrimSuffix(name, "__c"), "_", " ")
	return wordBorder.ReplaceAllString(name, "$1 $2")
}

var fieldName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*__c$`)

// check refuses custom fields that no org would have.
func (f *Field) check() error {
	if !fieldName.MatchString(f.Name) {
		return fmt.Errorf("%q is not the name of a custom field, such as Energy_Score__c", f.Name)
	}
	switch f.Type {
	case Text, LongTextArea:
		if f.Length <= 0 {
			return fmt.Errorf("%s: a %s needs a length", f.Name, f.Type)
		}
	case Number, Currency, Percent:
		if f.Precision <= 0 || f.Precision > 18 || f.Scale < 0 || f.Scale > f.Precision {
			return fmt.Errorf("%s: a number has 1 to 18 digits, and at most as many after the point", f.Name)
		}
	case Picklist:
		if len(f.Values) == 0 {
			return fmt.Errorf("%s: a picklist needs values", f.Name)
		}
	case Checkbox, Date, DateTime, Email, Phone, URL:
	default:
		return fmt.Errorf("%s: %q cannot be the type of a custom field", f.Name, f.Type)
	}
	return nil
}

var fieldSpec = regexp.MustCompile(`^(\w+)\.(\w+)=(\w+)(?:\(([^)]*)\))?(?:\s+(.+))?$`)

// ParseField reads a custom field as people write it on a command line:
// "Account.Energy__c=Number(18,4) 獲得エネルギー", with the types Number(p,s), Text(n),
// LongTextArea(n), Checkbox, Date, DateTime and Picklist(a,b,c).
func ParseField(spec string) (object string, f Field, err error) {
	m := fieldSpec.FindStringSubmatch(spec)
	if m == nil {
		return "", f, fmt.Errorf("%q is not OBJECT.FIELD__c=TYPE LABEL", spec)
	}
	f = Field{Name: m[2], Label: m[5]}
	args := strings.Split(m[4], ",")
	number := func(i int) int {
		if i < len(args) {
			n, _ := strconv.Atoi(strings.TrimSpace(args[i])) // 0 is refused by check, where a size is needed
			return n
		}
		return 0
	}
	switch m[3] {
	case "Number":
		f.Type, f.Precision, f.Scale = Number, number(0), number(1)
	case "Text":
		f.Type, f.Length = Text, number(0)
	case "LongTextArea":
		f.Type, f.Length = LongTextArea, number(0)
	case "Checkbox":
		f.Type = Checkbox
	case "Date":
		f.Type = Date
	case "DateTime":
		f.Type = DateTime
	case "Picklist":
		f.Type, f.Length = Picklist, 255
		for _, v := range args {
			if v = strings.TrimSpace(v); v != "" {
				f.Values = append(f.Values, v)
			}
		}
	default:
		return "", f, fmt.Errorf("%s: unknown type %s", f.Name, m[3])
	}
	return m[1], f, f.check()
}
