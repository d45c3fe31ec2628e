package crmsim

import (
	"fmt"
	"time"
)

// conformanceClock is where the org's clock stands when the seed "conformance"
// has been planted: the same ids and stamps every time.
var conformanceClock = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// The seed "conformance" has each kind of row that a connector can trip over.
const (
	groupSize  = 500 // contacts that share one stamp, so that ties go over the borders of pages
	groups     = 3
	singles    = 20 // contacts with a stamp of their own
	largest    = 300
	companies  = 40
	oddName    = `O'Neil \ "x"`
	archiveAgo = 380 // days
)

// seedConformance plants the seed "conformance". It stops the clock while it
// works, since every row has the stamp of the moment it was made.
func (s *Server) seedConformance() error {
	p := planter{s: s, now: conformanceClock}
	p.at(-10 * 24 * time.Hour)
	for _, f := range []Field{
		{Name: "Ext__c", Label: "Ext", Type: Text, Length: 40, ExternalID: true, Unique: true},
		{Name: "Energy_Score__c", Label: "Energy Score", Type: Number, Precision: 18, Scale: 4},
	} {
		if err := s.AddField("Contact", f); err != nil {
			return err
		}
	}
	if p.err == nil {
		p.err = s.born()
	}
	p.permissionSet()
	reps := p.users()
	accounts := p.accounts(reps)
	contacts := p.contacts(accounts, reps)
	p.at(-20 * time.Hour)
	p.tasks(contacts, accounts[0], reps[0])
	p.groupEvent(contacts[0], accounts[0], reps)
	p.mail(contacts, reps[0])
	p.deal(contacts, accounts[0], reps[0])
	p.at(-2 * time.Hour)
	p.deletions(contacts)
	p.at(0)
	if p.err == nil {
		p.err = s.setClock(Fault{Set: conformanceClock})
	}
	return p.err
}

// born dates all that a new org has, its users for one, at this moment.
func (s *Server) born() error {
	return s.together(func(b *batch) error {
		now := s.now().Unix()
		for _, o := range s.order {
			if o.changed != 0 {
				o.changed = now
			}
			for _, r := range o.rows {
				row := r.copy()
				row[colCreated], row[colModified], row[colStamp] = now, now, now
				b.changes = append(b.changes, s.putRow(r, row))
			}
		}
		return nil
	})
}

// at stops the clock at a time before the seed's moment.
func (p *planter) at(before time.Duration) {
	if p.err == nil {
		p.err = p.s.setClock(Fault{Set: p.now.Add(before), Stop: true})
	}
}

func (p *planter) permissionSet() {
	if p.s.objects["permissionset"] == nil {
		return
	}
	set := p.insert("PermissionSet", map[string]any{"Name": "Energy_Integration", "Label": "Energy Integration"})
	p.insert("PermissionSetAssignment", map[string]any{"AssigneeId": p.s.runAs, "PermissionSetId": set})
}

// accounts plants companies; the first one is the largest.
func (p *planter) accounts(reps []string) (ids []string) {
	for i := range companies {
		ids = append(ids, p.insert("Account", map[string]any{"Name": fmt.Sprintf("第%02d精密工業株式会社", i+1), "AccountNumber": fmt.Sprintf("C%05d", 1001+i),
			"Type": "Customer", "OwnerId": reps[i%len(reps)]}))
	}
	return ids
}

// contacts plants the people: three groups with one stamp each, and some more.
// Every third one has no mail address, every other one no score.
func (p *planter) contacts(accounts, reps []string) (ids []string) {
	for i := range groups*groupSize + singles {
		switch {
		case i%groupSize == 0 && i < groups*groupSize:
			p.at(time.Duration(i/groupSize-groups-1) * 24 * time.Hour)
		case i >= groups*groupSize:
			p.at(-24*time.Hour + time.Duration(i)*time.Second)
		}
		values := map[string]any{"LastName": fmt.Sprintf("田中%04d", i), "FirstName": "一郎", "AccountId": accounts[0], "OwnerId": reps[i%len(reps)],
			"Title": "課長", "Ext__c": fmt.Sprintf("E%d", i)}
		if i >= largest {
			values["AccountId"] = accounts[1+i%(len(accounts)-1)]
		}
		if i == 7 {
			values["LastName"] = oddName
		}
		if i%3 != 0 {
			values["Email"] = fmt.Sprintf("c%d@customer.example", i)
		}
		if i%2 == 0 {
			values["Energy_Score__c"] = float64(i%10000) / 10000
		}
		ids = append(ids, p.insert("Contact", values))
	}
	return ids
}

// tasks plants one of each kind: open, closed, archived, a series, one with three people.
func (p *planter) tasks(contacts []string, account, rep string) {
	day := func(n int) time.Time { return p.now.AddDate(0, 0, n) }
	p.insert("Task", map[string]any{"Subject": "電話：見積の確認", "Status": "Not Started", "Priority": "Normal", "WhoId": contacts[0], "WhatId": account, "OwnerId": rep, "ActivityDate": day(3)})
	p.insert("Task", map[string]any{"Subject": "電話：日程調整", "Status": "Completed", "Priority": "Normal", "TaskSubtype": "Call", "CallType": "Outbound",
		"CallDurationInSeconds": 420, "WhoId": contacts[1], "WhatId": account, "OwnerId": rep, "ActivityDate": day(-1)})
	old := day(-archiveAgo)
	p.insert("Task", map[string]any{"Subject": "電話：昨年の件", "Status": "Completed", "Priority": "Normal", "WhoId": contacts[2], "OwnerId": rep, "ActivityDate": old,
		"CreatedDate": old, "LastModifiedDate": old, "SystemModstamp": old, "CompletedDateTime": old})
	if p.err == nil {
		_, p.err = p.s.Archive()
	}
	p.insert("Task", map[string]any{"Subject": "週次フォロー", "Status": "Not Started", "Priority": "Normal", "WhoId": contacts[3], "OwnerId": rep, "IsRecurrence": true,
		"RecurrenceType": "RecursWeekly", "RecurrenceInterval": 1, "RecurrenceDayOfWeekMask": 2, "RecurrenceStartDateOnly": day(0), "RecurrenceEndDateOnly": day(14)})
	p.insert("Task", map[string]any{"Subject": "三者で打合せ", "Status": "Completed", "Priority": "Normal", "WhatId": account, "OwnerId": rep, "ActivityDate": day(-2),
		"WhoId": contacts[4], "TaskWhoIds": []string{contacts[4], contacts[5], contacts[6]}})
}

// groupEvent plants an event with two contacts and two invited colleagues, who have rows of their own.
func (p *planter) groupEvent(contact, account string, reps []string) {
	at := p.now.Add(-26 * time.Hour)
	event := p.insert("Event", map[string]any{"Subject": "キックオフ", "StartDateTime": at, "EndDateTime": at.Add(time.Hour), "WhoId": contact, "WhatId": account, "OwnerId": reps[0]})
	for i, rep := range reps[1:3] {
		p.insert("EventRelation", map[string]any{"EventId": event, "RelationId": rep, "Status": []string{"Accepted", "Declined"}[i]})
	}
}

// mail plants a mail to one person with a copy to another one, and its task.
func (p *planter) mail(contacts []string, rep string) {
	at := p.now.Add(-25 * time.Hour)
	task := p.insert("Task", map[string]any{"Subject": "Email: 資料送付", "Status": "Completed", "Priority": "Normal", "TaskSubtype": "Email", "WhoId": contacts[1], "OwnerId": rep, "ActivityDate": at})
	p.insert("EmailMessage", map[string]any{"ActivityId": task, "Subject": "資料送付", "Status": "3", "MessageDate": at, "FromAddress": "sales1@ourcompany.example",
		"ToAddress": "c1@customer.example", "CcAddress": "c2@customer.example", "ToIds": []string{contacts[1]}, "CcIds": []string{contacts[2]}})
}

// deal plants an opportunity with two people, whose stage moved on once.
func (p *planter) deal(contacts []string, account, rep string) {
	deal := p.insert("Opportunity", map[string]any{"AccountId": account, "Name": "検査ライン更新", "StageName": "Qualification", "Amount": 18_500_000,
		"CloseDate": p.now.AddDate(0, 2, 0), "OwnerId": rep})
	for i, role := range []string{"Decision Maker", "Evaluator"} {
		p.insert("OpportunityContactRole", map[string]any{"OpportunityId": deal, "ContactId": contacts[i], "Role": role, "IsPrimary": i == 0})
	}
	p.at(-19 * time.Hour)
	if p.err == nil {
		p.err = p.s.Update("Opportunity", deal, map[string]any{"StageName": "Proposal"})
	}
}

// deletions plants rows that are gone: five deleted contacts, and the loser of a merge.
func (p *planter) deletions(contacts []string) {
	var gone []string
	for i := range 6 {
		gone = append(gone, p.insert("Contact", map[string]any{"LastName": fmt.Sprintf("退職%d", i)}))
	}
	p.at(-time.Hour)
	for _, id := range gone[:5] {
		if p.err == nil {
			p.err = p.s.Delete("Contact", id)
		}
	}
	if p.err == nil {
		p.err = p.s.Merge("Contact", contacts[groups*groupSize], gone[5]) // not one of a group, whose stamps stay equal
	}
}
