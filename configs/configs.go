// Package configs holds the configurations that energyd ships: the starter
// that energyd init writes, which is also what the demo and the tests run.
package configs

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed energyd.yaml.tmpl points.yaml titles.yaml phrases.yaml mappings/*.yaml
var files embed.FS

// Starter is what differs between one company's energyd.yaml and another's.
type Starter struct {
	CRMURL       string // "https://example.my.salesforce.com"
	ClientID     string
	ClientSecret string // a reference: "${env:CRM_CLIENT_SECRET}" or "${file:crm-secret}"
	Driver       string // of the daily-report database, one of Drivers
	File         string // of a SQLite database, relative to energyd.yaml
	// ContactCode and DealCode are the CRM's fields with the codes by which other systems name people and
	// deals: "Contact_Code__c"; "" when it has none.
	ContactCode, DealCode string
	// DealProducts and Important are the CRM's fields with what a deal sells, and with the mark of important customers; "" when it has none.
	DealProducts, Important string

	// The mailboxes of a mail server on this machine. Without a port they stand there as a comment.
	MailPort   int
	MailSecret string // a reference to the password of all of them
	MailDomain string // our own
	Mailboxes  []string
}

// Drivers are the databases that the starter has a daily-report source for. mysql serves MariaDB too.
var Drivers = []string{"postgres", "mysql", "sqlserver", "oracle", "sqlite"}

// Write puts a starter configuration into dir. Files that are there already
// stay as they are, but for energyd.yaml, which is written anew.
func Write(dir string, s Starter) error {
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(to, 0o700)
		}
		if name == "energyd.yaml.tmpl" {
			return nil
		}
		data, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		switch name {
		case "mappings/crm_contact.yaml":
			data = withCode(data, "Contact_Code__c", s.ContactCode)
		case "mappings/crm_opportunity.yaml":
			data = withCode(data, "Deal_Code__c", s.DealCode)
			data = named(data, "Product__c", "# products: Product__c", "products: ", s.DealProducts)
		case "mappings/crm_account.yaml":
			data = named(data, "Important__c", "# important: Important__c", "important: ", s.Important)
		}
		return writeNew(to, data)
	})
	if err != nil {
		return fmt.Errorf("write the starter configuration: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "energyd.yaml"), Energyd(s), 0o600)
}

// Energyd is the starter's energyd.yaml.
func Energyd(s Starter) []byte {
	var b bytes.Buffer
	if err := starter.Execute(&b, s); err != nil {
		panic(err) // it is embedded, and names fields of Starter alone
	}
	return b.Bytes()
}

var starter = template.Must(template.ParseFS(files, "energyd.yaml.tmpl"))

// withCode lets a mapping find entities by the codes in a field of the CRM; usual is the name that its comment gives as an example.
func withCode(mapping []byte, usual, field string) []byte {
	return named(mapping, usual, `code: '""' # none yet`, "code: ", field)
}

// named lets a mapping's option, which stands there as none, read a field of the CRM.
func named(mapping []byte, usual, none, option, field string) []byte {
	if field == "" {
		return mapping
	}
	mapping = bytes.Replace(mapping, []byte(none), []byte(option+usual), 1)
	return bytes.ReplaceAll(mapping, []byte(usual), []byte(field))
}

// writeNew writes a file that is not there yet.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
