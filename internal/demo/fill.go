package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	_ "modernc.org/sqlite" // the daily-report database

	"energyd/internal/crmsim"
)

// fillCRM enters people, customers, deals and the contacts that were typed into the CRM itself.
func fillCRM(crm *crmsim.Server, people []*rep, customers []*account, today time.Time, on func(ago int)) error {
	var failed error
	insert := func(object string, values map[string]any) string {
		id, err := crm.Insert(object, values)
		if err != nil && failed == nil {
			failed = fmt.Errorf("%s: %w", object, err)
		}
		return id
	}
	on(firstDay)
	for _, r := range people {
		r.crmID = insert("User", map[string]any{"LastName": r.family, "FirstName": r.given, "EmployeeNumber": r.code, "IsActive": true,
			"UserType": "Standard", "Department": r.team, "Username": r.address(), "Email": r.address(), "Alias": r.code, "TimeZoneSidKey": "Asia/Tokyo"})
	}
	for _, a := range customers {
		a.crmID = insert("Account", map[string]any{"Name": a.name, "AccountNumber": a.code, "Industry": a.industry,
			"BillingState": a.state, "Website": a.site, "Type": "Customer", "Important__c": a.important, "OwnerId": a.owner.crmID})
		for _, c := range a.contacts {
			c.crmID = insert("Contact", map[string]any{"LastName": c.family, "FirstName": c.given, "Title": c.title,
				"AccountId": a.crmID, "OwnerId": a.owner.crmID, "Email": c.email, "Contact_Code__c": c.code})
		}
	}
	for _, s := range steps(customers) {
		on(s.ago)
		d := s.deal
		if d.crmID != "" {
			if err := crm.Update("Opportunity", d.crmID, map[string]any{"StageName": s.stage}); err != nil && failed == nil {
				failed = fmt.Errorf("move a deal to stage %s: %w", s.stage, err)
			}
			continue
		}
		values := map[string]any{"Name": d.name, "AccountId": s.account.crmID, "StageName": s.stage, "Amount": float64(d.amount), "Product__c": d.product,
			"CloseDate": today.AddDate(0, 0, d.closes).Format(time.DateOnly), "OwnerId": s.account.owner.crmID}
		if d.code != "" {
			values["Deal_Code__c"] = d.code
		}
		d.crmID = insert("Opportunity", values)
	}
	on(0)
	for _, e := range events(customers) {
		day := today.AddDate(0, 0, -e.ago)
		values := map[string]any{"Subject": e.subject, "WhoId": e.contact.crmID, "WhatId": e.account.crmID, "OwnerId": e.account.owner.crmID}
		if e.call != "" {
			values["Status"], values["TaskSubtype"], values["CallType"] = "Completed", "Call", e.call
			values["ActivityDate"] = day.Format(time.DateOnly)
			insert("Task", values)
			continue
		}
		start := day.Add(5 * time.Hour) // 14:00 in Japan
		values["StartDateTime"], values["EndDateTime"] = start.Format(time.RFC3339), start.Add(time.Hour).Format(time.RFC3339)
		insert("Event", values)
	}
	return failed
}

const reportTable = `CREATE TABLE daily_report (
	report_id     INTEGER PRIMARY KEY,
	report_date   TEXT NOT NULL,
	start_time    TEXT,
	rep_code      TEXT,
	account_code  TEXT,
	contact_code  TEXT,
	contact_name  TEXT,
	contact_title TEXT,
	deal_code     TEXT,
	activity      TEXT,
	minutes       INTEGER,
	result        TEXT,
	memo          TEXT,
	source        TEXT NOT NULL,
	ext_key       TEXT NOT NULL,
	updated_at    TEXT NOT NULL
)`

// fillReports makes the daily-report database as a groupware would have it.
func fillReports(ctx context.Context, file string, rs []report) error {
	half := file + ".new"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", half)
	if err != nil {
		return err
	}
	if err := errors.Join(insertReports(ctx, db, rs), db.Close()); err != nil {
		return err
	}
	return os.Rename(half, file)
}

func insertReports(ctx context.Context, db *sql.DB, rs []report) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, reportTable); err != nil {
		return err
	}
	for _, r := range rs {
		if _, err := tx.ExecContext(ctx, `INSERT INTO daily_report VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			r.id, r.date, r.start, r.rep, r.account, r.contact, r.contactName, r.title, r.deal, r.activity, r.minutes, r.result, r.memo,
			r.source, r.extKey, r.updated.UTC().Format(time.RFC3339)); err != nil {
			return err
		}
	}
	return tx.Commit()
}
