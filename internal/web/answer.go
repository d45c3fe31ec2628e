package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"energyd/internal/fault"
	"energyd/internal/report"
	"energyd/internal/store"
	"energyd/internal/web/signon"
)

// frame is what layout.html draws around a page.
type frame struct {
	Language string
	Colours  string // "", "light" or "dark"
	Here     string // the address of this page
	Title    string
	Page     *page // nil for one that is no page of the table
	Home     *page // of the navigation, to which Page belongs; nil for none
	Sections []part
	Reader   signon.Reader
	AsOf     string
	LastRun  *store.Run
	Form     formats // of the page's download
	Data     any     // what the view returned
}

// As is the address of this page as a file.
func (f *frame) As(format string) string {
	u, err := url.Parse(f.Here)
	if err != nil {
		return f.Here
	}
	q := u.Query()
	q.Set("format", format)
	u.RawQuery = q.Encode()
	return u.String()
}

// part is a section of the navigation with those of its pages that the reader may see.
type part struct {
	Title string
	Here  bool
	Pages []*page
}

// formats are what a page may be downloaded as.
type formats []string

// downloadable is what can be had as a file too, whole.
type downloadable interface {
	download(ctx context.Context, v *visit) (*report.Table, error)
}

// titled is what has a title of its own: a customer's page has its name.
type titled interface{ title() string }

// writers are the kinds of files, and their media types.
var writers = map[string]struct {
	write func(*report.Table, *bytes.Buffer, string) error
	media string
}{
	"csv":  {func(t *report.Table, b *bytes.Buffer, language string) error { return t.WriteCSV(b, language) }, "text/csv; charset=utf-8"},
	"xlsx": {func(t *report.Table, b *bytes.Buffer, language string) error { return t.WriteXLSX(b, language) }, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
}

// show answers with a page, or with the file that was asked for.
func (v *visit) show(w http.ResponseWriter, p *page) error {
	if err := v.may(p.role); err != nil {
		return err
	}
	ctx := v.request.Context()
	v.query = declared(p, v.query, shownBy...)
	data, err := p.view.make(ctx, v)
	if err != nil {
		return err
	}
	file, can := data.(downloadable)
	if format := v.query.Get("format"); format != "" {
		if !can {
			return fault.New(fault.Config, "", "this page cannot be downloaded", "", nil)
		}
		return v.send(w, p, file, format)
	}
	f := v.frame(ctx, p)
	f.Title, f.Data = p.Title(v.language), data
	if named, is := data.(titled); is {
		f.Title = named.title()
	}
	if can {
		f.Form = formats{"csv", "xlsx"}
	}
	if looks, ok := data.(interface{ again() time.Duration }); ok && looks.again() > 0 {
		w.Header().Set("Refresh", strconv.Itoa(int(looks.again().Seconds())))
	}
	return v.write(w, http.StatusOK, p.name, f)
}

// tell answers with what a page shows, as JSON.
func (v *visit) tell(w http.ResponseWriter, p *page) error {
	if err := v.may(p.role); err != nil {
		return err
	}
	v.query = declared(p, v.query)
	data, err := p.view.make(v.request.Context(), v)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, "application/json", data)
}

// act does what a button is for, and leads to where its outcome is shown.
func (v *visit) act(w http.ResponseWriter, a *action) error {
	if !v.reader.MayAct(a.role) {
		if v.reader.Role == signon.Nobody {
			return errSignOn
		}
		return errMayNotAct
	}
	v.request.Body = http.MaxBytesReader(w, v.request.Body, mostForm)
	to, err := a.do(v.request.Context(), v)
	if err != nil {
		return err
	}
	http.Redirect(w, v.request, local(to), http.StatusSeeOther)
	return nil
}

// mostForm is how large what a form sends may be.
const mostForm = 2 << 20

var errMayNotAct = fault.New(fault.Auth, "", "you may not do this", "sign on as somebody who may; docs/dashboard.md tells which role does what", nil)

// send answers with a file.
func (v *visit) send(w http.ResponseWriter, p *page, file downloadable, format string) error {
	kind, ok := writers[format]
	if !ok {
		return fault.New(fault.Config, "", fmt.Sprintf("a page cannot be downloaded as %q", format), "csv and xlsx can be had", nil)
	}
	t, err := file.download(v.request.Context(), v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := kind.write(t, &b, v.language); err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind.media)
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s.%s"`, p.name, v.today(), format))
	_, _ = w.Write(b.Bytes()) // whoever asked is gone
	return nil
}

// frame is what is around every page.
func (v *visit) frame(ctx context.Context, here *page) *frame {
	f := &frame{Page: here, Language: v.language, Colours: v.colours, Here: v.request.URL.RequestURI(), Reader: v.reader,
		AsOf: v.today().String(), LastRun: v.lastRun(ctx)}
	at := map[*section]int{}
	f.Home = here.home()
	for i := range pages {
		p := &pages[i]
		if p.section == nil || v.reader.Role < p.role {
			continue
		}
		n, ok := at[p.section]
		if !ok {
			n = len(f.Sections)
			at[p.section] = n
			f.Sections = append(f.Sections, part{Title: p.section.title.In(v.language), Here: here.within() == p.section})
		}
		f.Sections[n].Pages = append(f.Sections[n].Pages, p)
	}
	return f
}

// write draws a page whole before it sends any of it.
func (v *visit) write(w http.ResponseWriter, status int, template string, f *frame) error {
	var b bytes.Buffer
	if err := v.draw.page(&b, v.language, template, f); err != nil {
		return fault.New(fault.Internal, "", "a page cannot be drawn", "report this", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // whoever asked is gone
	return nil
}

func writeJSON(w http.ResponseWriter, status int, media string, data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return fault.New(fault.Internal, "", "an answer cannot be written as JSON", "report this", err)
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
	return nil
}

// problem is why something is not shown (RFC 9457), as a page and as JSON.
type problem struct {
	Status int        `json:"status"`
	Title  string     `json:"title"`
	Detail string     `json:"detail,omitempty"`
	Hint   string     `json:"what_to_do,omitempty"`
	Kind   fault.Kind `json:"kind"`
}

// statuses are what a kind of fault is in HTTP. What there is not is a fault of who asked.
var statuses = map[fault.Kind]int{
	fault.Config: http.StatusNotFound, fault.Auth: http.StatusForbidden, fault.RateLimited: http.StatusTooManyRequests,
	fault.Quota: http.StatusTooManyRequests, fault.Braked: http.StatusConflict, fault.Conflict: http.StatusConflict,
	fault.BadRecord: http.StatusUnprocessableEntity, fault.Rejected: http.StatusUnprocessableEntity, fault.Unavailable: http.StatusServiceUnavailable,
}

// titles say what a status means to a reader.
var titles = map[int]text{
	http.StatusUnauthorized:        {Ja: "サインインが必要です", En: "Sign on first"},
	http.StatusNotFound:            {Ja: "見つかりません", En: "Not found"},
	http.StatusForbidden:           {Ja: "権限がありません", En: "Not allowed"},
	http.StatusConflict:            {Ja: "今は実行できません", En: "Not now"},
	http.StatusTooManyRequests:     {Ja: "しばらくお待ちください", En: "Too many requests"},
	http.StatusUnprocessableEntity: {Ja: "処理できません", En: "This cannot be done"},
	http.StatusServiceUnavailable:  {Ja: "一時的に利用できません", En: "Not available right now"},
	http.StatusInternalServerError: {Ja: "エラーが発生しました", En: "Something went wrong"},
}

// refusals are the dashboard's own faults in Japanese: what people see who may not, or are lost.
var refusals = map[error]struct{ detail, hint string }{
	errNoPage:     {"このページはありません。", "アドレスを確かめるか、上のメニューから選んでください。"},
	errNotAllowed: {"このページを見る権限がありません。", "必要な場合は、energyd の管理者に依頼してください。"},
	errMayNotAct:  {"この操作を行う権限がありません。", "権限のあるユーザーでサインインしてください。"},
	errSignOn:     {"サインインしてください。", ""},
	errOtherSite:  {"別のサイトのページから送信されたため、受け付けませんでした。", "心当たりがない場合は、dashboard.url のアドレスでこの画面を開いてください。"},
	errOwnMachine: {"この画面は、energyd が動いているサーバー自身でだけ表示できます。", "他の端末から見るには、管理者が dashboard.users を設定します（docs/dashboard.md）。"},
}

// fail answers with a problem. Causes that nobody foresaw stand in the log alone.
func (v *visit) fail(w http.ResponseWriter, err error) {
	if errors.Is(err, context.Canceled) {
		return // the reader left
	}
	status, ok := statuses[fault.KindOf(err)]
	switch {
	case errors.Is(err, errSignOn) && v.json:
		status = http.StatusUnauthorized
	case errors.Is(err, errSignOn):
		v.toSignOn(w)
		return
	case errors.Is(err, context.DeadlineExceeded):
		status = http.StatusServiceUnavailable
	case !ok:
		status = http.StatusInternalServerError
	}
	p := problem{Status: status, Title: titles[status].In(v.language), Kind: fault.KindOf(err)}
	var known *fault.Error
	if errors.As(err, &known) && known.Kind != fault.Internal {
		p.Detail, p.Hint = known.Msg, fault.HintOf(err)
	}
	if own, is := refusals[err]; is && v.language == "ja" {
		p.Detail, p.Hint = own.detail, own.hint
	}
	if status >= http.StatusInternalServerError {
		v.log("a page cannot be shown", "error", err)
	}
	if v.json {
		_ = writeJSON(w, status, "application/problem+json", p) // it has nothing that JSON cannot have
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.request.Context()), time.Second)
	defer cancel()
	f := v.frame(ctx, nil)
	f.Title, f.Data = p.Title, p
	if err := v.write(w, status, "problem", f); err != nil {
		v.log("a problem cannot be shown", "error", err)
		http.Error(w, p.Title, status)
	}
}
