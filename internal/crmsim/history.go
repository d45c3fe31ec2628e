package crmsim

// historyObjects are what the org writes down of opportunities, and nobody changes.
func historyObjects() []*object {
	return []*object{
		newObject("OpportunityHistory", "Opportunity Histories", "008",
			reference("OpportunityId", "Opportunity", "Opportunity"), text("StageName", 255), amount("Amount", Currency, 18, 2),
			amount("ExpectedRevenue", Currency, 18, 2), typed("CloseDate", Date), amount("Probability", Percent, 3, 0),
			text("ForecastCategory", 40)).ownedBy("OpportunityId").lacking("LastModifiedDate", "LastModifiedById", "SystemModstamp").bySystem(),
		newObject("OpportunityFieldHistory", "Opportunity Field Histories", "017",
			reference("OpportunityId", "Opportunity", "Opportunity"), text("Field", 255), text("DataType", 40),
			typed("OldValue", AnyType), typed("NewValue", AnyType)).ownedBy("OpportunityId").lacking("LastModifiedDate", "LastModifiedById", "SystemModstamp").bySystem(),
	}
}

// snapshotFields are what a row of OpportunityHistory holds, and from where.
var snapshotFields = map[string]string{"StageName": "StageName", "Amount": "Amount", "ExpectedRevenue": "ExpectedRevenue",
	"CloseDate": "CloseDate", "Probability": "Probability", "ForecastCategory": "ForecastCategoryName"}

// trackedFields have a row of OpportunityFieldHistory for each change.
var trackedFields = []string{"StageName", "Amount", "CloseDate", "OwnerId"}

// followOpportunity writes the histories.
func (s *Server) followOpportunity(c change) (also []change) {
	r, old := c.row, &record{obj: c.row.obj, values: c.before}
	entry := func(o *object, values map[string]any) change {
		row := make([]any, len(o.fields))
		copy(row, r.written()[:colStamp+1])
		if c.before != nil {
			row[colCreated], row[colCreatedBy] = row[colModified], row[colModifiedBy]
		}
		row[o.owner] = r.value(colID)
		for name, v := range values {
			i, _ := o.field(name)
			row[i] = v
		}
		return s.enter(o, row)
	}
	changed, snapshot := c.before == nil, map[string]any{}
	for name, from := range snapshotFields {
		snapshot[name] = r.latest(from)
		changed = changed || r.latest(from) != old.latest(from)
	}
	if changed {
		also = append(also, entry(s.objects["opportunityhistory"], snapshot))
	}
	fields := s.objects["opportunityfieldhistory"]
	if c.before == nil {
		return append(also, entry(fields, map[string]any{"Field": "created", "DataType": "Text"}))
	}
	for _, name := range trackedFields {
		_, f := r.obj.field(name)
		if was, is := old.latest(name), r.latest(name); was != is {
			also = append(also, entry(fields, map[string]any{"Field": name, "DataType": historyType(f.Type), "OldValue": was, "NewValue": is}))
		}
	}
	return also
}

func historyType(t Type) string {
	switch t {
	case Currency:
		return "Currency"
	case Date:
		return "DateOnly"
	case Reference:
		return "EntityId"
	}
	return "Text"
}
