package crmsim

import (
	"net/http"
	"time"
)

// objectInfo is an object as the global describe lists it.
type objectInfo struct {
	Activateable          bool              `json:"activateable"`
	AssociateEntityType   *string           `json:"associateEntityType"`
	AssociateParentEntity *string           `json:"associateParentEntity"`
	Createable            bool              `json:"createable"`
	Custom                bool              `json:"custom"`
	CustomSetting         bool              `json:"customSetting"`
	DeepCloneable         bool              `json:"deepCloneable"`
	Deletable             bool              `json:"deletable"`
	DeprecatedAndHidden   bool              `json:"deprecatedAndHidden"`
	FeedEnabled           bool              `json:"feedEnabled"`
	HasSubtypes           bool              `json:"hasSubtypes"`
	IsInterface           bool              `json:"isInterface"`
	IsSubtype             bool              `json:"isSubtype"`
	KeyPrefix             string            `json:"keyPrefix"`
	Label                 string            `json:"label"`
	LabelPlural           string            `json:"labelPlural"`
	Layoutable            bool              `json:"layoutable"`
	Mergeable             bool              `json:"mergeable"`
	MruEnabled            bool              `json:"mruEnabled"`
	Name                  string            `json:"name"`
	Queryable             bool              `json:"queryable"`
	Replicateable         bool              `json:"replicateable"`
	Retrieveable          bool              `json:"retrieveable"`
	Searchable            bool              `json:"searchable"`
	Triggerable           bool              `json:"triggerable"`
	Undeletable           bool              `json:"undeletable"`
	Updateable            bool              `json:"updateable"`
	URLs                  map[string]string `json:"urls"`
}

// objectDetail is what the describe of one object adds.
type objectDetail struct {
	objectInfo
	ActionOverrides       []any         `json:"actionOverrides"`
	ChildRelationships    []childInfo   `json:"childRelationships"`
	CompactLayoutable     bool          `json:"compactLayoutable"`
	DefaultImplementation *string       `json:"defaultImplementation"`
	ExtendedBy            *string       `json:"extendedBy"`
	ExtendsInterfaces     *string       `json:"extendsInterfaces"`
	Fields                []fieldInfo   `json:"fields"`
	ImplementedBy         *string       `json:"implementedBy"`
	ImplementsInterfaces  *string       `json:"implementsInterfaces"`
	Listviewable          *bool         `json:"listviewable"`
	LookupLayoutable      *bool         `json:"lookupLayoutable"`
	NamedLayoutInfos      []any         `json:"namedLayoutInfos"`
	NetworkScopeFieldName *string       `json:"networkScopeFieldName"`
	RecordTypeInfos       []any         `json:"recordTypeInfos"`
	SearchLayoutable      bool          `json:"searchLayoutable"`
	SobjectDescribeOption string        `json:"sobjectDescribeOption"`
	SupportedScopes       []scopeOption `json:"supportedScopes"`
}

type childInfo struct {
	CascadeDelete       bool     `json:"cascadeDelete"`
	ChildSObject        string   `json:"childSObject"`
	DeprecatedAndHidden bool     `json:"deprecatedAndHidden"`
	Field               string   `json:"field"`
	JunctionIDListNames []string `json:"junctionIdListNames"`
	JunctionReferenceTo []string `json:"junctionReferenceTo"`
	RelationshipName    *string  `json:"relationshipName"`
	RestrictedDelete    bool     `json:"restrictedDelete"`
}

type scopeOption struct {
	Label string `json:"label"`
	Name  string `json:"name"`
}

type choice struct {
	Active       bool    `json:"active"`
	DefaultValue bool    `json:"defaultValue"`
	Label        string  `json:"label"`
	ValidFor     *string `json:"validFor"`
	Value        string  `json:"value"`
}

// fieldInfo has every key of a field, since clients with strict decoding exist.
type fieldInfo struct {
	Aggregatable                 bool     `json:"aggregatable"`
	AIPredictionField            bool     `json:"aiPredictionField"`
	AutoNumber                   bool     `json:"autoNumber"`
	ByteLength                   int      `json:"byteLength"`
	Calculated                   bool     `json:"calculated"`
	CalculatedFormula            *string  `json:"calculatedFormula"`
	CascadeDelete                bool     `json:"cascadeDelete"`
	CaseSensitive                bool     `json:"caseSensitive"`
	CompoundFieldName            *string  `json:"compoundFieldName"`
	ControllerName               *string  `json:"controllerName"`
	Createable                   bool     `json:"createable"`
	Custom                       bool     `json:"custom"`
	DefaultValue                 any      `json:"defaultValue"`
	DefaultValueFormula          *string  `json:"defaultValueFormula"`
	DefaultedOnCreate            bool     `json:"defaultedOnCreate"`
	DependentPicklist            bool     `json:"dependentPicklist"`
	DeprecatedAndHidden          bool     `json:"deprecatedAndHidden"`
	Digits                       int      `json:"digits"`
	DisplayLocationInDecimal     bool     `json:"displayLocationInDecimal"`
	Encrypted                    bool     `json:"encrypted"`
	ExternalID                   bool     `json:"externalId"`
	ExtraTypeInfo                *string  `json:"extraTypeInfo"`
	Filterable                   bool     `json:"filterable"`
	FilteredLookupInfo           *string  `json:"filteredLookupInfo"`
	FormulaTreatNullNumberAsZero bool     `json:"formulaTreatNullNumberAsZero"`
	Groupable                    bool     `json:"groupable"`
	HighScaleNumber              bool     `json:"highScaleNumber"`
	HTMLFormatted                bool     `json:"htmlFormatted"`
	IDLookup                     bool     `json:"idLookup"`
	InlineHelpText               *string  `json:"inlineHelpText"`
	Label                        string   `json:"label"`
	Length                       int      `json:"length"`
	Mask                         *string  `json:"mask"`
	MaskType                     *string  `json:"maskType"`
	Name                         string   `json:"name"`
	NameField                    bool     `json:"nameField"`
	NamePointing                 bool     `json:"namePointing"`
	Nillable                     bool     `json:"nillable"`
	Permissionable               bool     `json:"permissionable"`
	PicklistValues               []choice `json:"picklistValues"`
	PolymorphicForeignKey        bool     `json:"polymorphicForeignKey"`
	Precision                    int      `json:"precision"`
	QueryByDistance              bool     `json:"queryByDistance"`
	ReferenceTargetField         *string  `json:"referenceTargetField"`
	ReferenceTo                  []string `json:"referenceTo"`
	RelationshipName             *string  `json:"relationshipName"`
	RelationshipOrder            *int     `json:"relationshipOrder"`
	RestrictedDelete             bool     `json:"restrictedDelete"`
	RestrictedPicklist           bool     `json:"restrictedPicklist"`
	Scale                        int      `json:"scale"`
	SearchPrefilterable          bool     `json:"searchPrefilterable"`
	SoapType                     string   `json:"soapType"`
	Sortable                     bool     `json:"sortable"`
	Type                         string   `json:"type"`
	Unique                       bool     `json:"unique"`
	Updateable                   bool     `json:"updateable"`
	WriteRequiresMasterRead      bool     `json:"writeRequiresMasterRead"`
}

func (s *Server) describeAll(c *call) reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := []objectInfo{}
	for _, o := range s.order {
		if o.sees == "" || s.rights[o.sees] {
			list = append(list, o.info(c))
		}
	}
	return answer(struct {
		Encoding     string       `json:"encoding"`
		MaxBatchSize int          `json:"maxBatchSize"`
		SObjects     []objectInfo `json:"sobjects"`
	}{"UTF-8", maxCollection, list})
}

func (s *Server) describe(c *call) reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.seen(c.args[0])
	if o == nil {
		return notFound
	}
	return s.describeObject(c, o)
}

func (s *Server) describeObject(c *call, o *object) reply {
	header := http.Header{}
	if o.changed != 0 {
		header.Set("Last-Modified", time.Unix(o.changed, 0).UTC().Format(http.TimeFormat))
	}
	if since, err := http.ParseTime(c.r.Header.Get("If-Modified-Since")); err == nil && o.changed <= since.Unix() {
		return reply{status: http.StatusNotModified, header: header}
	}
	detail := objectDetail{
		objectInfo: o.info(c), ActionOverrides: []any{}, ChildRelationships: s.children(o), CompactLayoutable: true,
		NamedLayoutInfos: []any{}, RecordTypeInfos: []any{}, SearchLayoutable: true, SobjectDescribeOption: "FULL",
		SupportedScopes: []scopeOption{{"All " + o.plural, "everything"}, {"My " + o.plural, "mine"}},
	}
	for _, f := range o.fields {
		if f.visible() {
			detail.Fields = append(detail.Fields, o.fieldInfo(f))
		}
	}
	a := answer(detail)
	a.header = header
	return a
}

func (o *object) info(c *call) objectInfo {
	url := root(c) + "/sobjects/" + o.name
	_, merges := o.field("MasterRecordId")
	return objectInfo{
		Mergeable: merges != nil,
		Name:      o.name, Label: o.label, LabelPlural: o.plural, KeyPrefix: o.prefix,
		Createable: !o.readOnly, Updateable: !o.readOnly, Deletable: !o.readOnly && !o.fields[colDeleted].absent,
		Queryable: true, Retrieveable: true, Replicateable: true, Searchable: true, Triggerable: true, Layoutable: true,
		MruEnabled: true, FeedEnabled: true, Undeletable: !o.readOnly && !o.fields[colDeleted].absent,
		URLs: map[string]string{"sobject": url, "describe": url + "/describe", "rowTemplate": url + "/{ID}"},
	}
}

// children are the references of other objects to o.
func (s *Server) children(o *object) []childInfo {
	list := []childInfo{}
	for _, child := range s.order {
		first := childColumn(child, o)
		for i, f := range child.fields {
			for _, to := range f.ReferenceTo {
				if to == o.name && f.visible() {
					info := childInfo{ChildSObject: child.name, Field: f.Name, JunctionIDListNames: []string{}, JunctionReferenceTo: []string{}}
					if i == first {
						name := child.relationship()
						info.RelationshipName = &name
					}
					list = append(list, info)
				}
			}
		}
	}
	return list
}

func (o *object) fieldInfo(f *Field) fieldInfo {
	i := fieldInfo{
		Name: f.Name, Label: f.Label, Type: string(f.Type), SoapType: soapType(f.Type), Custom: f.custom(),
		Calculated: f.Calculated, Createable: f.creatable() && !o.readOnly, Updateable: f.writable() && !o.readOnly,
		Precision: f.Precision, Scale: f.Scale, Length: f.Length, ByteLength: 3 * f.Length,
		Aggregatable: !f.longText() && f.Type != Checkbox, Filterable: !f.longText(), Sortable: !f.longText(),
		Groupable: f.groupable(), ExternalID: f.ExternalID, Unique: f.Unique,
		IDLookup: f.Type == ID || f.ExternalID || f.Type == Email, NameField: f.Name == "Name",
		Nillable:          !f.Required && f.Type != Checkbox && f.Type != ID,
		DefaultedOnCreate: f.Type == Checkbox || f.Name == "OwnerId" || f.ReadOnly,
		Permissionable:    f.permissionable(), RestrictedPicklist: f.Restricted,
		NamePointing: len(f.ReferenceTo) > 1, PolymorphicForeignKey: len(f.ReferenceTo) > 1,
		ReferenceTo: f.ReferenceTo, PicklistValues: []choice{},
	}
	switch f.Type {
	case ID, Reference:
		i.ByteLength = f.Length
	case Integer:
		i.Digits, i.Precision = f.Precision, 0
	case Checkbox:
		i.DefaultValue = false
	}
	if i.ReferenceTo == nil {
		i.ReferenceTo = []string{}
	}
	if f.Help != "" {
		i.InlineHelpText = &f.Help
	}
	if f.Relationship != "" {
		i.RelationshipName = &f.Relationship
	}
	for _, v := range f.Values {
		i.PicklistValues = append(i.PicklistValues, choice{Active: true, Label: v, Value: v})
	}
	return i
}

func (f *Field) groupable() bool {
	switch f.Type {
	case Number, Currency, Percent, DateTime, LongTextArea:
		return false
	}
	return !f.Calculated
}

func soapType(t Type) string {
	switch t {
	case ID, Reference:
		return "tns:ID"
	case Checkbox:
		return "xsd:boolean"
	case Integer:
		return "xsd:int"
	case Number, Currency, Percent:
		return "xsd:double"
	case Date:
		return "xsd:date"
	case DateTime:
		return "xsd:dateTime"
	}
	return "xsd:string"
}
