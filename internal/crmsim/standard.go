package crmsim

import "slices"

func text(name string, length int) *Field {
	return &Field{Name: name, Type: Text, Length: length}
}

func typed(name string, t Type) *Field {
	lengths := map[Type]int{Phone: 40, Email: 80, URL: 255, LongTextArea: 32000}
	return &Field{Name: name, Type: t, Length: lengths[t]}
}

func amount(name string, t Type, precision, scale int) *Field {
	return &Field{Name: name, Type: t, Precision: precision, Scale: scale}
}

func pick(name string, t Type, values ...string) *Field {
	return &Field{Name: name, Type: t, Length: 255, Values: values}
}

func reference(name, relationship string, to ...string) *Field {
	return &Field{Name: name, Type: Reference, Length: 18, ReferenceTo: to, Relationship: relationship}
}

func required(f *Field) *Field { f.Required = true; return f }
func readOnly(f *Field) *Field { f.ReadOnly = true; return f }

// createOnly is a field that is given when the row is made, and stays.
func createOnly(f *Field) *Field { f.createOnly = true; return f }

// internal is a field that no client sees.
func internal(f *Field) *Field { f.internal = true; return f }

// standardObjects are the objects of a new org. Lengths and key prefixes are those of the public object reference.
// An object whose rows belong to those of another comes after it.
func standardObjects(sharedActivities bool) []*object {
	owner := func() *Field { return reference("OwnerId", "Owner", "User") }
	lastActivity := func() *Field { return readOnly(typed("LastActivityDate", Date)) }
	objects := []*object{
		newObject("Account", "Accounts", "001",
			required(text("Name", 255)), text("AccountNumber", 40), pick("Type", Picklist, "Prospect", "Customer", "Partner"),
			reference("ParentId", "Parent", "Account"), pick("Industry", Picklist, "Manufacturing", "Technology", "Finance", "Retail", "Construction"),
			amount("AnnualRevenue", Currency, 18, 0), amount("NumberOfEmployees", Integer, 8, 0), typed("Phone", Phone), typed("Website", URL),
			text("BillingState", 80), text("BillingCity", 40), typed("Description", LongTextArea), owner(),
			lastActivity(), readOnly(reference("MasterRecordId", "MasterRecord", "Account"))),
		newObject("Contact", "Contacts", "003",
			reference("AccountId", "Account", "Account"), required(text("LastName", 80)), text("FirstName", 40), readOnly(text("Name", 121)),
			text("Title", 128), text("Department", 80), typed("Email", Email), typed("Phone", Phone), typed("MobilePhone", Phone),
			pick("LeadSource", Picklist, "Web", "Phone", "Partner", "Seminar"), reference("ReportsToId", "ReportsTo", "Contact"),
			typed("Description", LongTextArea), typed("HasOptedOutOfEmail", Checkbox), typed("DoNotCall", Checkbox),
			typed("EmailBouncedDate", DateTime), owner(), lastActivity(),
			readOnly(reference("MasterRecordId", "MasterRecord", "Contact")), text("EmailBouncedReason", 255), text("AssistantName", 40)),
		newObject("Lead", "Leads", "00Q",
			required(text("LastName", 80)), text("FirstName", 40), readOnly(text("Name", 121)), required(text("Company", 255)),
			text("Title", 128), typed("Email", Email), typed("Phone", Phone), pick("Status", Picklist, "Open", "Working", "Closed"), owner(),
			typed("MobilePhone", Phone), pick("LeadSource", Picklist, "Web", "Phone", "Partner", "Seminar"), text("Industry", 255),
			typed("Description", LongTextArea), typed("HasOptedOutOfEmail", Checkbox), typed("DoNotCall", Checkbox), typed("EmailBouncedDate", DateTime),
			readOnly(typed("IsConverted", Checkbox)), readOnly(typed("ConvertedDate", Date)),
			readOnly(reference("ConvertedAccountId", "ConvertedAccount", "Account")), readOnly(reference("ConvertedContactId", "ConvertedContact", "Contact")),
			readOnly(reference("ConvertedOpportunityId", "ConvertedOpportunity", "Opportunity")), lastActivity(),
			readOnly(reference("MasterRecordId", "MasterRecord", "Lead"))),
		newObject("Opportunity", "Opportunities", "006",
			reference("AccountId", "Account", "Account"), required(text("Name", 120)),
			required(pick("StageName", Picklist, "Prospecting", "Qualification", "Proposal", "Negotiation", "Closed Won", "Closed Lost")),
			amount("Amount", Currency, 18, 2), amount("Probability", Percent, 3, 0), required(typed("CloseDate", Date)),
			readOnly(typed("IsClosed", Checkbox)), readOnly(typed("IsWon", Checkbox)), pick("ForecastCategoryName", Picklist, "Pipeline", "Best Case", "Commit", "Omitted", "Closed"),
			pick("Type", Picklist, "New Business", "Existing Business"), pick("LeadSource", Picklist, "Web", "Phone", "Partner", "Seminar"),
			text("NextStep", 255), typed("Description", LongTextArea), owner(), readOnly(typed("LastStageChangeDate", DateTime)),
			lastActivity(), readOnly(amount("ExpectedRevenue", Currency, 18, 2))),
		newObject("OpportunityContactRole", "Opportunity Contact Roles", "00K",
			required(reference("OpportunityId", "Opportunity", "Opportunity")), required(reference("ContactId", "Contact", "Contact")),
			pick("Role", Picklist, "Decision Maker", "Influencer", "Evaluator", "User"), typed("IsPrimary", Checkbox)).ownedBy("OpportunityId"),
		newObject("User", "Users", "005",
			required(text("Username", 80)), required(text("LastName", 80)), text("FirstName", 40), readOnly(text("Name", 121)),
			required(typed("Email", Email)), text("Title", 80), text("Department", 80), text("Alias", 8), typed("IsActive", Checkbox),
			pick("UserType", Picklist, "Standard", "CsnOnly", "AutomatedProcess"), text("TimeZoneSidKey", 40), text("EmployeeNumber", 20),
			text("Division", 80), text("CompanyName", 80), typed("Phone", Phone), typed("MobilePhone", Phone), reference("ManagerId", "Manager", "User"),
			reference("ProfileId", "Profile", "Profile"), text("FederationIdentifier", 512), text("LanguageLocaleKey", 40), readOnly(typed("LastLoginDate", DateTime))).lacking("IsDeleted"), // made inactive, never deleted
	}
	return slices.Concat(permissionObjects(), objects, activityObjects(sharedActivities))
}

// nameObject is what Who and What lead to: the fields that all their objects share.
func nameObject() *object {
	return newObject("Name", "Names", "",
		text("Name", 121), text("Type", 40), text("FirstName", 40), text("LastName", 80), text("Title", 128),
		typed("Email", Email), typed("Phone", Phone), typed("IsActive", Checkbox), text("Username", 80), text("Alias", 8))
}
