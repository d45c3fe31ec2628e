package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

var (
	languages = []string{"ja", "en"}
	// colours are those of the pages; "auto" = as the reader's machine has it.
	colours = []string{"auto", "light", "dark"}
)

// speaks is matched against what browsers prefer, in the order of languages.
var speaks = language.NewMatcher([]language.Tag{language.Japanese, language.English})

// languageOf is the reader's language: as asked for, as chosen before, as the browser has it, or the tenant's.
func languageOf(r *http.Request, tenants string) string {
	if asked := r.URL.Query().Get("language"); slices.Contains(languages, asked) {
		return asked
	}
	if chosen := cookie(r, "language"); slices.Contains(languages, chosen) {
		return chosen
	}
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(wanted) == 0 {
		return tenants
	}
	_, i, sure := speaks.Match(wanted...)
	if sure == language.No {
		return tenants
	}
	return languages[i]
}

// coloursOf is "light", "dark" or, for as the machine has it, "".
func coloursOf(r *http.Request) string {
	if c := cookie(r, "colours"); c == "light" || c == "dark" {
		return c
	}
	return ""
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// prefer keeps the language or the colours that a reader chose, for a year, and goes back to where that was.
func prefer(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	for name, known := range map[string][]string{"language": languages, "colours": colours} {
		if value := r.PostFormValue(name); slices.Contains(known, value) {
			http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600,
				HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil})
		}
	}
	http.Redirect(w, r, local(r.PostFormValue("back")), http.StatusSeeOther)
}

// local is an address of this dashboard: itself, or that of the first page for one that leads elsewhere.
func local(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return pages[0].path
	}
	return u.RequestURI()
}
