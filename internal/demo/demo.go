// Package demo makes a small company on this machine: a simulated CRM on a
// loopback port, a mail server on another, a daily-report database in a file, and
// a configuration that joins them. Everything lives in one folder, and opening the
// folder again finds it as it was.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2/imapserver"

	"energyd/configs"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

// World is the company while it runs.
type World struct {
	Config string // path of energyd.yaml
	URL    string // of the CRM; a person can open it
	Mail   string // "127.0.0.1:…" of the mail server
	crm    *crmsim.Server
	server *http.Server
	mail   *imapserver.Server
}

// The files of the folder.
const (
	crmFile    = "crm.data"
	reportFile = "daily_report.db"
	mailFolder = "mail"
	secretFile = "crm-secret"
	mailSecret = "mail-secret"
	// Of a CRM and mailboxes that only this machine can reach, with made-up data in them.
	secret       = "demo-secret"
	mailPassword = "demo-mail-password"
)

// Start makes the company in dir, or wakes it up when it is there already. Its
// CRM has the fields that energyd writes to.
func Start(ctx context.Context, dir string, now func() time.Time) (*World, error) {
	return start(ctx, dir, now, fields())
}

// StartBare is Start for a CRM as it is before energyd came: without its fields.
func StartBare(ctx context.Context, dir string, now func() time.Time) (*World, error) {
	return start(ctx, dir, now, codes())
}

func start(ctx context.Context, dir string, now func() time.Time, fields map[string][]crmsim.Field) (*World, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(fault.Config, "demo", "cannot make the folder "+dir, "name a folder that you may write to with --dir", err)
	}
	w := &World{Config: filepath.Join(dir, "energyd.yaml")}
	// The reports are the last thing that is made: without them, the folder is new or was left half made.
	fresh := !exists(filepath.Join(dir, reportFile))
	if fresh && !exists(filepath.Join(dir, crmFile)) && (exists(w.Config) || exists(filepath.Join(dir, "energyd.db"))) {
		return nil, fault.New(fault.Config, "demo", dir+" holds a configuration already", "name an empty folder with --dir", nil)
	}
	if fresh {
		if err := os.RemoveAll(filepath.Join(dir, crmFile)); err != nil {
			return nil, err
		}
	}
	today := dayInJapan(now())
	// The company's records are from yesterday: what was saved in the last minutes is not read yet.
	yesterday := today.Add(-12 * time.Hour)
	clock := func() time.Time { return yesterday }
	var err error
	if w.crm, err = crmsim.New(crmsim.Options{
		ClientID: "energyd-demo", ClientSecret: secret, DailyCalls: 100_000, File: filepath.Join(dir, crmFile), Fields: fields,
		Now: func() time.Time { return clock() },
	}); err != nil {
		return nil, fmt.Errorf("the simulated CRM: %w", err)
	}
	if fresh {
		on := func(ago int) { clock = func() time.Time { return yesterday.AddDate(0, 0, -ago) } }
		if err := w.fill(ctx, dir, today, on); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	clock = now
	if err := w.listen(dir); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// codes are the custom fields by which the daily reports name people and deals, and those that reports ask for.
func codes() map[string][]crmsim.Field {
	code := func(name, label string) []crmsim.Field {
		return []crmsim.Field{{Name: name, Label: label, Type: crmsim.Text, Length: 20, ExternalID: true, Unique: true}}
	}
	return map[string][]crmsim.Field{
		"Contact":     code("Contact_Code__c", "担当者コード"),
		"Opportunity": append(code("Deal_Code__c", "案件コード"), crmsim.Field{Name: "Product__c", Label: "商材", Type: crmsim.Text, Length: 255}),
		"Account":     {{Name: "Important__c", Label: "重要顧客", Type: crmsim.Checkbox}},
	}
}

// fields are the custom fields that there are after energyd fields apply, and codes.
func fields() map[string][]crmsim.Field {
	energy := []crmsim.Field{
		{Name: "Energy__c", Label: "温度", Type: crmsim.Number, Precision: 12, Scale: 3},
		{Name: "Energy_As_Of__c", Label: "温度の基準日", Type: crmsim.Date},
		{Name: "Energy_Band__c", Label: "温度帯", Type: crmsim.Text, Length: 40},
		{Name: "Energy_Band_Until__c", Label: "温度帯の期限", Type: crmsim.Date},
		{Name: "Energy_Last_Contact__c", Label: "最終接触日", Type: crmsim.Date},
		{Name: "Energy_Reason_1__c", Label: "温度の理由1", Type: crmsim.Text, Length: 255},
		{Name: "Energy_Reason_2__c", Label: "温度の理由2", Type: crmsim.Text, Length: 255},
		{Name: "Energy_Reason_3__c", Label: "温度の理由3", Type: crmsim.Text, Length: 255},
	}
	all := codes()
	all["Account"] = append(all["Account"], energy...)
	all["Contact"] = append(all["Contact"], energy[:5]...)
	all["Opportunity"] = append(all["Opportunity"], energy[:5]...)
	return all
}

// fill puts the company's records into the CRM, the mailboxes and the
// daily-report database. on sets the CRM's clock to so many days ago.
func (w *World) fill(ctx context.Context, dir string, today time.Time, on func(ago int)) error {
	people := reps()
	customers := accounts(people)
	if err := fillCRM(w.crm, people, customers, today, on); err != nil {
		return fmt.Errorf("fill the simulated CRM: %w", err)
	}
	if err := saveLetters(filepath.Join(dir, mailFolder), letters(customers, people, today)); err != nil {
		return fmt.Errorf("fill the mailboxes: %w", err)
	}
	if err := fillReports(ctx, filepath.Join(dir, reportFile), reports(customers, today)); err != nil {
		return fmt.Errorf("fill the daily-report database: %w", err)
	}
	return nil
}

// listen serves the CRM and the mailboxes on free loopback ports and writes the configuration that names them.
func (w *World) listen(dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.URL = "http://" + l.Addr().String()
	w.server = &http.Server{Handler: w.crm, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.server.Serve(l) }() // ends with ErrServerClosed at Close
	var port int
	if w.mail, port, err = serveMail(filepath.Join(dir, mailFolder)); err != nil {
		return err
	}
	w.Mail = fmt.Sprintf("127.0.0.1:%d", port)
	if err := configs.Write(dir, configs.Starter{
		ContactCode: "Contact_Code__c", DealCode: "Deal_Code__c", DealProducts: "Product__c", Important: "Important__c",
		CRMURL: w.URL, ClientID: "energyd-demo", ClientSecret: "${file:" + secretFile + "}",
		Driver: "sqlite", File: reportFile, MailPort: port, MailSecret: "${file:" + mailSecret + "}", MailDomain: ourDomain, Mailboxes: mailboxes(),
	}); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, secretFile), []byte(secret+"\n"), 0o600),
		os.WriteFile(filepath.Join(dir, mailSecret), []byte(mailPassword+"\n"), 0o600))
}

// mailboxes are those of our sales people.
func mailboxes() []string {
	var boxes []string
	for _, r := range reps() {
		boxes = append(boxes, r.address())
	}
	return boxes
}

// CRM gives the simulated CRM itself, for tests that look into it.
func (w *World) CRM() *crmsim.Server { return w.crm }

// AccountPage is the address of a customer's page in the CRM.
func (w *World) AccountPage(id string) string {
	return strings.TrimSuffix(w.URL, "/") + "/accounts/" + id
}

// Close stops the CRM and the mail server, and keeps the records.
func (w *World) Close() error {
	var errs []error
	if w.mail != nil {
		errs = append(errs, w.mail.Close())
	}
	if w.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		errs = append(errs, w.server.Shutdown(ctx))
	}
	return errors.Join(append(errs, w.crm.Close())...)
}

// dayInJapan gives midnight UTC of the date that it is in Japan.
func dayInJapan(t time.Time) time.Time {
	year, month, day := t.In(time.FixedZone("JST", 9*3600)).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
