package sqltable

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/internal/secret"
)

// The TLS modes: certificate and name checked, encrypted only, not encrypted.
const (
	tlsVerify  = "verify"
	tlsEncrypt = "encrypt"
	tlsOff     = "off"
)

// Config is a connection: one database.
type Config struct {
	Driver           string              `yaml:"driver"` // postgres, mysql (MariaDB too), sqlite, sqlserver, oracle
	Host             string              `yaml:"host"`   // name, address, or the absolute path of a Unix socket (PostgreSQL: of its folder)
	Port             int                 `yaml:"port"`   // 0 = the database's usual port
	Database         string              `yaml:"database"`
	User             string              `yaml:"user"`
	Password         secret.Secret       `yaml:"password"`
	TLS              string              `yaml:"tls"`     // verify, encrypt, off
	CAFile           string              `yaml:"ca_file"` // PEM, relative to energyd.yaml; "" = the system's certificates
	File             string              `yaml:"file"`    // sqlite alone: relative to energyd.yaml
	StatementTimeout connectors.Duration `yaml:"statement_timeout"`
	MaxConnections   int                 `yaml:"max_connections"`
}

// Validate reports what is missing or contradictory.
func (c *Config) Validate() error {
	var ps fault.Problems
	drivers := slices.Sorted(maps.Keys(dialects))
	if c.Driver == "" {
		ps.Add("driver", "is required: one of %s", strings.Join(drivers, ", "))
	} else if !slices.Contains(drivers, c.Driver) {
		ps.Add("driver", "%q is not one of %s%s", c.Driver, strings.Join(drivers, ", "), fault.DidYouMean(c.Driver, drivers))
	}
	server := map[string]string{"host": c.Host, "database": c.Database, "user": c.User}
	for _, name := range slices.Sorted(maps.Keys(server)) {
		switch given := server[name] != ""; {
		case c.Driver == "sqlite" && given:
			ps.Add(name, "is not for sqlite, which needs only file")
		case c.Driver != "sqlite" && !given:
			ps.Add(name, "is required")
		}
	}
	if c.Driver == "sqlite" && c.File == "" {
		ps.Add("file", "is required for sqlite")
	}
	if c.Driver != "sqlite" && c.File != "" {
		ps.Add("file", "is for sqlite alone")
	}
	if c.Port < 0 || c.Port > 65535 {
		ps.Add("port", "%d is not a port", c.Port)
	}
	if modes := []string{tlsVerify, tlsEncrypt, tlsOff}; !slices.Contains(modes, c.TLS) {
		ps.Add("tls", "%q is not one of %s%s", c.TLS, strings.Join(modes, ", "), fault.DidYouMean(c.TLS, modes))
	}
	if time.Duration(c.StatementTimeout) < time.Second {
		ps.Add("statement_timeout", "must be 1s or more")
	}
	if c.MaxConnections < 1 {
		ps.Add("max_connections", "must be 1 or more")
	}
	return ps.Or()
}

// where names the database for people: "postgres db.example.org:5432/sales".
func (c *Config) where() string {
	if c.Driver == "sqlite" {
		return "sqlite " + c.File
	}
	return c.Driver + " " + c.address() + "/" + c.Database
}

// address is "host:port", or the path of a Unix socket.
func (c *Config) address() string {
	if strings.HasPrefix(c.Host, "/") {
		return c.Host
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(c.port()))
}

func (c *Config) port() int {
	if c.Port == 0 {
		return dialects[c.Driver].port(c)
	}
	return c.Port
}

// Stream is one table, or a SELECT that stands for one.
type Stream struct {
	Table           string              `yaml:"table"` // "日報" or "schema.日報"
	Query           string              `yaml:"query"`
	Key             []string            `yaml:"key"`              // unique together; nil = the table's primary key
	Changed         string              `yaml:"changed"`          // column of the change time, or of a growing whole number; "" = read all each time
	Deleted         string              `yaml:"deleted"`          // column or SQL condition of a row that counts as deleted; "" = none
	Timezone        string              `yaml:"timezone"`         // IANA zone of timestamps that carry none
	Encoding        string              `yaml:"encoding"`         // of text columns, when the database does not know it; "" = it does
	Lookback        connectors.Duration `yaml:"lookback"`         // of change times: how late a commit may be seen
	LookbackNumbers int64               `yaml:"lookback_numbers"` // the same where changed is a number
	Lag             connectors.Duration `yaml:"lag"`              // change times younger than this wait for the next run
	Columns         []string            `yaml:"columns"`          // nil = all, or those that the mapping uses
}

// Validate reports what is missing or contradictory.
func (s *Stream) Validate() error {
	var ps fault.Problems
	switch {
	case s.Table == "" && s.Query == "":
		ps.Add("table", "is required, or a query in its place")
	case s.Table != "" && s.Query != "":
		ps.Add("query", "cannot stand beside table")
	case s.Query != "" && len(s.Key) == 0:
		ps.Add("key", "is required with a query: the columns that make a row unique")
	}
	for list, columns := range map[string][]string{"key": s.Key, "columns": s.Columns} {
		for i, c := range columns {
			if c == "" {
				ps.Add(fmt.Sprintf("%s[%d]", list, i), "is empty")
			}
		}
	}
	if s.Timezone != "" {
		if _, err := s.zone(); err != nil {
			ps.Add("timezone", "%q is not a time zone such as Asia/Tokyo", s.Timezone)
		}
	}
	if names := slices.Sorted(maps.Keys(charsets)); s.Encoding != "" && !slices.Contains(names, s.Encoding) {
		ps.Add("encoding", "%q is not one of %s%s", s.Encoding, strings.Join(names, ", "), fault.DidYouMean(s.Encoding, names))
	}
	if s.Lookback <= 0 {
		ps.Add("lookback", "must be above 0: rows that are committed late would be missed")
	}
	if s.LookbackNumbers <= 0 {
		ps.Add("lookback_numbers", "must be above 0: rows that are committed late would be missed")
	}
	if time.Duration(s.Lag) < time.Second {
		ps.Add("lag", "must be 1s or more: of two saves within one second the later would be missed")
	}
	return ps.Or()
}

// zone is the location of Timezone. "Local" is refused: it differs from machine to machine.
func (s *Stream) zone() (*time.Location, error) {
	if s.Timezone == "Local" {
		return nil, fmt.Errorf("local time is not a zone")
	}
	return time.LoadLocation(s.Timezone)
}

// SelectColumns restricts the stream to the columns that a mapping uses, unless the admin lists them.
func (s *Stream) SelectColumns(columns []string) {
	if len(s.Columns) == 0 {
		s.Columns = columns
	}
}

// Reads tells whether the source is of a survey's item.
func (s *Stream) Reads(item connectors.Item) bool { return s.Table == item.Name }

// name is the table, or "query": the beginning of every record's Origin.
func (s *Stream) name() string {
	if s.Table == "" {
		return "query"
	}
	return s.Table
}
