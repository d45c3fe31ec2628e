package httpclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"

	"github.com/go-resty/resty/v2"

	"energyd/internal/fault"
)

// trouble turns what the network stack says into one sentence and a hint. The
// URL never shows beyond its host: queries hold data, and some APIs put keys there.
func (c *Client) trouble(rawURL string, err error) *fault.Error {
	address := host(rawURL)
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	cause := errors.New(c.Redact(err.Error()))
	is := func(kind fault.Kind, hint, msg string, args ...any) *fault.Error {
		return fault.New(kind, "", fmt.Sprintf(msg, args...), hint, cause)
	}
	var (
		op       *net.OpError
		dns      *net.DNSError
		unknown  x509.UnknownAuthorityError
		name     x509.HostnameError
		invalid  x509.CertificateInvalidError
		notTLS   tls.RecordHeaderError
		netError net.Error
	)
	switch {
	case errors.As(err, &unknown):
		return is(fault.Config, "add the issuer's certificate to the system's trusted ones, or name its file in SSL_CERT_FILE; "+
			"behind a proxy that inspects TLS it is the proxy's issuer",
			"the certificate of %s was issued by somebody this machine does not know", address)
	case errors.As(err, &name):
		return is(fault.Config, "use the host name that stands in the certificate", "the certificate of %s is for another name", address)
	case errors.As(err, &invalid):
		return is(fault.Config, "have the certificate renewed, and check this machine's clock", "the certificate of %s is not valid now", address)
	case errors.As(err, &notTLS), errors.Is(err, http.ErrSchemeMismatch):
		return is(fault.Config, "check port and scheme: http:// or https://", "%s does not speak TLS", address)
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return is(fault.Unavailable, "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY in energyd's environment", "the proxy before %s cannot be reached", address)
	case errors.As(err, &dns) && dns.IsNotFound:
		return is(fault.Unavailable, "check the spelling of the address, and this machine's DNS", "there is no host %s", dns.Name)
	case errors.As(err, &dns):
		return is(fault.Unavailable, "check this machine's DNS", "the name %s could not be looked up", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return is(fault.Unavailable, "check host and port, and that the system runs", "nothing listens at %s", address)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return is(fault.Unavailable, "check this machine's network, and whether a proxy is needed (HTTPS_PROXY)", "there is no way through the network to %s", address)
	case errors.Is(err, resty.ErrResponseBodyTooLarge):
		return is(fault.Config, "ask for smaller pages", "an answer of %s is larger than %d MiB", address, c.options.MaxBody>>20)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netError) && netError.Timeout():
		return is(fault.Unavailable, "if this stays, check firewalls between this machine and the host", "%s did not answer within %s", address, c.options.Timeout)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return is(fault.Unavailable, "if this stays, look for a firewall or proxy that ends connections", "%s cut the connection", address)
	}
	return is(fault.Unavailable, "", "the connection to %s failed", address)
}
