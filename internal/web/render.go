package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"energyd/engine"
	"energyd/internal/pipeline"
	"energyd/internal/report"
	"energyd/internal/store"
	"energyd/internal/wording"
)

//go:embed templates static
var files embed.FS

// renderers draw each page in each language: "ja/today".
type renderers map[string]*template.Template

// newRenderers reads the templates. Each page's own one defines "content", which layout.html puts into its frame; parts are what several pages are made of.
func newRenderers(zone *time.Location) (renderers, error) {
	all := renderers{}
	for _, language := range languages {
		frame, err := template.New("layout.html").Funcs(functions(language, zone)).ParseFS(files, "templates/layout.html", "templates/parts/*.html")
		if err != nil {
			return nil, err
		}
		names, err := fs.Glob(files, "templates/*.html")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			own, err := frame.Clone()
			if err != nil {
				return nil, err
			}
			if all[language+"/"+path.Base(name)], err = own.ParseFS(files, name); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func (r renderers) page(w io.Writer, language, name string, data any) error {
	t, ok := r[language+"/"+name+".html"]
	if !ok {
		return fmt.Errorf("there is no template %s.html", name)
	}
	return t.ExecuteTemplate(w, "layout.html", data)
}

// functions are what templates say things with.
func functions(language string, zone *time.Location) template.FuncMap {
	return template.FuncMap{
		// t says something in the reader's language: {{t "%d 社" "%d companies" .Count}}.
		"t": func(ja, en string, values ...any) string { return say(language, ja, en, values...) },
		// in gives the text of a label.
		"in": func(l text) string { return l.In(language) },
		// said is what the program stored or refused with, which is English, in the reader's language.
		"said": func(sentence string) string { return wording.In(language, sentence) },
		// subject is what an alert is of: "source mail".
		"subject": func(what string) string {
			if source, is := strings.CutPrefix(what, "source "); is {
				return say(language, "ソース %s", "source %s", source)
			}
			return worded(subjects, what).In(language)
		},
		// clock tells a time to the minute, in the tenant's zone.
		"clock": func(t time.Time) string {
			if t.IsZero() {
				return "–"
			}
			return t.In(zone).Format("2006-01-02 15:04")
		},
		// machine is a time or a date as <time datetime> has it.
		"machine": func(t time.Time) string { return t.In(zone).Format(time.RFC3339) },
		"day": func(d engine.Date) string {
			if d == engine.NoDate {
				return "–"
			}
			return d.String()
		},
		"number": func(n any) string { return shown(report.Count, language, n) },
		"points": func(n float64) string { return shown(report.Points, language, n) },
		"share":  func(n float64) string { return shown(report.Share, language, n) },
		// thousandths are points as energyd explain prints them; signed ones with + or −.
		"thousandths": func(n float64) string { return strconv.FormatFloat(n, 'f', 3, 64) },
		"signed":      func(n float64) string { return fmt.Sprintf("%+.3f", n) },
		"less":        func(a, b int) int { return a - b },
		// plain is a number as it stands in a points file; numbered is one with whether it may be edited.
		"plain": plain,
		"numbered": func(e any, open bool) any {
			if p, is := e.(*pointsEntry); is {
				e = *p
			}
			return struct {
				Entry any
				Open  bool
			}{e, open}
		},
		// gave says what a contact has of one of its records.
		"gave":     func(g engine.Given) string { return gaveLabels[g].In(language) },
		"width":    func(d *drawing) float64 { return d.Right - d.Left },
		"runState": func(s store.RunState) text { return worded(runStates, string(s)) },
		"value":    func(v report.Value) string { return v.String(report.Text, language) },
		// held is what a field of the CRM holds.
		"held": func(v any) string { return pipeline.ToldValue(v).String(report.Text, language) },
		// took tells how long something lasted, to the second.
		"took": func(d time.Duration) string { return d.Round(time.Second).String() },
		// asset is the address of a file of static/, which changes with the file.
		"asset": func(name string) string { return "/static/" + name + "?" + assets[name] },
	}
}

// subjects are what alerts are of, beside sources.
var subjects = map[string]text{"sync": {Ja: "同期", En: "sync"}, "pull": {Ja: "取得", En: "pull"}, "configuration": {Ja: "設定", En: "configuration"}}

// plain writes a number as people write it into a file.
func plain(n any) string {
	if p, is := n.(*float64); is {
		n = *p
	}
	f, _ := n.(float64)
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// shown writes a number as the reports do.
func shown(t report.Type, language string, n any) string {
	v := report.Value{}
	switch n := n.(type) {
	case int:
		v.Number = float64(n)
	case int64:
		v.Number = float64(n)
	case float64:
		v.Number = n
	}
	return v.String(t, language)
}

// assets are the files of static/, each with a hash of what is in it.
var assets = func() map[string]string {
	all := map[string]string{}
	entries, err := files.ReadDir("static")
	if err != nil {
		panic(err) // embedded
	}
	for _, e := range entries {
		b, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(b)
		all[e.Name()] = hex.EncodeToString(sum[:6])
	}
	return all
}()

// static serves the files of static/, for ever where the address has their hash.
var static = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	hash, ok := assets[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.URL.RawQuery == hash {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeFileFS(w, r, files, "static/"+name)
})
