package notice

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"energyd/internal/fault"
	"energyd/internal/telemetry"
)

// postman sends mails through a server.
type postman struct {
	Mail
	now func() time.Time
}

// send sends one mail. Its errors name no address.
func (p postman) send(ctx context.Context, to string, m message) error {
	letter := mail.NewMsg(mail.WithEncoding(mail.EncodingB64)) // kanji in quoted-printable are three times as long
	if err := letter.From(p.From); err != nil {
		return fault.New(fault.Config, "mail", "notices.mail.from is no address", "", nil)
	}
	if err := letter.To(to); err != nil {
		return fault.New(fault.Config, "mail", "the reader's mail address cannot be used", "correct it in the CRM, or in notices.mail", nil)
	}
	letter.Subject(m.title)
	letter.SetDateWithValue(p.now())
	letter.SetMessageIDWithValue(p.messageID(to, m))
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence note answers
	letter.SetBodyString(mail.TypeTextPlain, strings.Join(m.lines, "\n\n")+"\n")
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client, err := p.client()
	if err != nil {
		return err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return p.refusal(err)
	}
	err = client.Send(letter)
	_ = client.Close() // the mail has left by then, or never will
	var refused *mail.SendError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.Reason == mail.ErrSMTPReset:
		return nil // after the server took the mail
	case errors.As(err, &refused) && refused.ErrorCode() == 0 && (refused.Reason == mail.ErrSMTPDataClose || refused.Reason == mail.ErrWriteContent):
		return &doubtError{p.refusal(err)}
	}
	return p.refusal(err)
}

// messageID is the same for the same mail, so that who gets it twice can tell.
func (p postman) messageID(to string, m message) string {
	sum := sha256.Sum256([]byte(to + "\x00" + m.title + "\x00" + strings.Join(m.lines, "\n")))
	_, domain, _ := strings.Cut(strings.Trim(p.From[strings.LastIndex(p.From, "<")+1:], " >"), "@")
	return hex.EncodeToString(sum[:12]) + "@" + domain
}

func (p postman) client() (*mail.Client, error) {
	host, text, err := net.SplitHostPort(p.Server)
	if err != nil {
		return nil, fault.New(fault.Config, "mail", "notices.mail.server is no address", "write HOST:PORT", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fault.New(fault.Config, "mail", "notices.mail.server has no port", "write HOST:PORT", err)
	}
	conf := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if p.CAFile != "" {
		pem, err := os.ReadFile(p.CAFile)
		if conf.RootCAs = x509.NewCertPool(); err != nil || !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.New(fault.Config, "mail", "notices.mail.ca_file cannot be used", "name a PEM file that energyd may read", err)
		}
	}
	options := []mail.Option{mail.WithPort(port), mail.WithTimeout(20 * time.Second), mail.WithTLSConfig(conf)}
	switch p.TLS {
	case Implicit:
		options = append(options, mail.WithSSL())
	case Clear:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if p.User != "" {
		options = append(options, mail.WithUsername(p.User), mail.WithPassword(p.Password.Reveal()), mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover))
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return nil, fault.New(fault.Config, "mail", "notices.mail cannot be used", "check server, tls, user and password", err)
	}
	return client, nil
}

// refusal says what is wrong, without anybody's address and without the password.
func (p postman) refusal(err error) error {
	kind, msg, hint := fault.Unavailable, "the mail server cannot be reached, or broke off", "check notices.mail.server and the network"
	text := err.Error()
	var refused *mail.SendError
	if errors.As(err, &refused) {
		text = fmt.Sprintf("%d %s", refused.ErrorCode(), refused.EnhancedStatusCode()) // the server's words name the reader
		if refused.ErrorCode() != 0 {
			msg, hint = "the mail server did not take the mail this time", ""
		}
		if code := refused.ErrorCode(); code >= 500 {
			kind, msg, hint = fault.Rejected, "the mail server refuses the mail", "check that it lets notices.mail.from send, and the reader's address"
		}
	}
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.As(err, &unknown), errors.As(err, &name):
		kind, msg, hint = fault.Config, "the mail server's certificate cannot be trusted", "name the file of your own certificate authority in notices.mail.ca_file, and the server as its certificate does"
	case strings.Contains(text, "535") || strings.Contains(strings.ToLower(text), "auth"):
		kind, msg, hint = fault.Auth, "the mail server refuses the sign-on", "check notices.mail.user and password"
	}
	if !p.Password.IsZero() {
		text = strings.ReplaceAll(text, p.Password.Reveal(), "[redacted]")
	}
	return fault.New(kind, "mail", msg, hint, errors.New(telemetry.Impersonal(text)))
}
