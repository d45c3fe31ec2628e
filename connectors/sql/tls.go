package sqltable

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/go-sql-driver/mysql"
	"github.com/lib/pq"
)

// tlsConfig gives nil for no encryption.
func tlsConfig(cfg *Config, caFile string) (*tls.Config, error) {
	switch cfg.TLS {
	case tlsOff:
		return nil, nil
	case tlsEncrypt:
		return &tls.Config{InsecureSkipVerify: true}, nil // the admin's explicit choice
	}
	t := &tls.Config{ServerName: cfg.Host, MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	t.RootCAs = x509.NewCertPool()
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", caFile)
	}
	return t, nil
}

func isTLS(err error) bool {
	var (
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		verify  *tls.CertificateVerificationError
		header  tls.RecordHeaderError
	)
	return errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) ||
		errors.As(err, &verify) || errors.As(err, &header) ||
		errors.Is(err, pq.ErrSSLNotSupported) || errors.Is(err, mysql.ErrNoTLS)
}

func isNet(err error) bool {
	var n net.Error
	return errors.As(err, &n)
}
