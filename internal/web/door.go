package web

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"energyd/internal/fault"
)

// signOn is the page before all others.
type signOn struct {
	Back     string // where to go after it
	Name     string // as typed before
	Password bool   // readers may sign on by name and password
	OpenID   bool   // by the company's own sign-on
	Problem  string // why it did not work
}

// doors are the addresses where readers come in and leave.
func (d *Dashboard) doors(mux *http.ServeMux) {
	mux.Handle("GET /sign-on", d.visited(func(w http.ResponseWriter, v *visit) error {
		return v.door(w, http.StatusOK, "", "")
	}))
	mux.Handle("POST /sign-on", d.visited(d.signOn))
	mux.Handle("POST /sign-off", d.visited(d.signOff))
	mux.Handle("GET /sign-on/openid", d.visited(d.toOpenID))
	mux.Handle("GET /sign-on/callback", d.visited(d.fromOpenID))
}

// toSignOn leads to the door, and back here after it.
func (v *visit) toSignOn(w http.ResponseWriter) {
	back := v.request.URL.RequestURI()
	if v.request.Method != http.MethodGet {
		back = pages[0].path
	}
	http.Redirect(w, v.request, "/sign-on?back="+url.QueryEscape(back), http.StatusSeeOther)
}

// door shows the door.
func (v *visit) door(w http.ResponseWriter, status int, name, problem string) error {
	if !v.gate.Required() {
		return errNoPage
	}
	p := signOn{Back: local(v.request.FormValue("back")), Name: name, Problem: problem}
	p.Password, p.OpenID = v.gate.Ways()
	f := v.frame(v.request.Context(), nil)
	f.Title, f.Data, f.Here = v.t("サインイン", "Sign on"), p, "/sign-on?back="+url.QueryEscape(p.Back)
	return v.write(w, status, "sign-on", f)
}

// signOn takes a name and a password.
func (d *Dashboard) signOn(w http.ResponseWriter, v *visit) error {
	if !v.gate.Required() {
		return errNoPage
	}
	v.request.Body = http.MaxBytesReader(w, v.request.Body, 16<<10)
	name := v.request.PostFormValue("name")
	from := d.from(v.request)
	err := v.gate.SignOn(v.request.Context(), name, v.request.PostFormValue("password"), from)
	if err == nil {
		http.Redirect(w, v.request, local(v.request.PostFormValue("back")), http.StatusSeeOther)
		return nil
	}
	var f *fault.Error
	switch {
	case !errors.As(err, &f):
		return err
	case f.Kind == fault.Auth:
		d.log.Warn("a sign-on to the dashboard failed", "from", from)
		return v.door(w, http.StatusForbidden, name, v.t("名前またはパスワードが違います。", "The name or the password is wrong."))
	case f.Kind == fault.RateLimited:
		return v.door(w, http.StatusTooManyRequests, name, v.t("失敗が続いています。%d 秒後にもう一度お試しください。", "Too many attempts failed. Try again in %d seconds.",
			int(f.RetryAfter/time.Second)+1))
	}
	return err
}

// from is the address that a reader comes from. Where a proxy is in front, it puts the one that it sees behind what it was told.
func (d *Dashboard) from(r *http.Request) string {
	if d.served.BehindProxy {
		told := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
		if ip, err := netip.ParseAddr(strings.TrimSpace(told[strings.LastIndexByte(told, ',')+1:])); err == nil {
			return ip.String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (d *Dashboard) signOff(w http.ResponseWriter, v *visit) error {
	if !v.gate.Required() {
		return errNoPage
	}
	if err := v.gate.SignOff(v.request.Context()); err != nil {
		return err
	}
	http.Redirect(w, v.request, "/sign-on", http.StatusSeeOther)
	return nil
}

// toOpenID leads to the company's own sign-on.
func (d *Dashboard) toOpenID(w http.ResponseWriter, v *visit) error {
	if _, openID := v.gate.Ways(); !openID {
		return errNoPage
	}
	to, err := v.gate.Begin(v.request.Context(), local(v.query.Get("back")))
	if err != nil {
		return err
	}
	http.Redirect(w, v.request, to, http.StatusSeeOther)
	return nil
}

// fromOpenID is where it sends readers back to.
func (d *Dashboard) fromOpenID(w http.ResponseWriter, v *visit) error {
	if _, openID := v.gate.Ways(); !openID {
		return errNoPage
	}
	back, err := v.gate.Finish(v.request.Context(), v.query)
	if err != nil {
		d.log.Warn("a sign-on to the dashboard failed", "from", d.from(v.request), "error", err)
		return err
	}
	http.Redirect(w, v.request, local(back), http.StatusSeeOther)
	return nil
}
