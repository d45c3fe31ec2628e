package web

import (
	"context"
	"reflect"
	"strings"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/web/signon"
)

// text is a text in both languages.
type text = engine.Label

// api is put before a page's path for the same as JSON.
const api = "/api/v1"

// page is one page. What its view returns is shown by templates/NAME.html, and
// as JSON at /api/v1PATH; a download(ctx, v) method of it offers it as CSV and workbook too.
type page struct {
	path    string // as in net/http: "/customers/{id}"
	name    string // of its template
	role    signon.Role
	section *section // where the navigation has it; nil for a page that others lead to
	title   text
	view    view
}

// view makes what a page shows, and knows its type before there is a visit: openapi.json is made of it.
type view struct {
	make  func(ctx context.Context, v *visit) (any, error)
	shown reflect.Type
}

// shows makes a page's view of a function that returns one struct with json tags. Its faults: config for
// what there is not (404), auth (403), those of the store.
func shows[T any](made func(ctx context.Context, v *visit) (*T, error)) view {
	return view{
		make:  func(ctx context.Context, v *visit) (any, error) { return made(ctx, v) },
		shown: reflect.TypeFor[T](),
	}
}

// forms are the pages that a form may be posted to, to be shown with what it sent: it changes nothing.
var forms = []string{"points"}

// section is a part of the navigation.
type section struct{ title text }

// The sections, in the order of the pages that are in them.
var (
	inToday      = &section{text{Ja: "今日", En: "Today"}}
	inCustomers  = &section{text{Ja: "顧客", En: "Customers"}}
	inSales      = &section{text{Ja: "営業", En: "Sales"}}
	inPoints     = &section{text{Ja: "配点", En: "Points"}}
	inOperations = &section{text{Ja: "運用", En: "Operations"}}
)

// pages are all pages; the first is the one at "/". NAME.go and templates/NAME.html make the page NAME.
var pages = []page{
	{"/today", "today", signon.Viewer, inToday, text{Ja: "今日", En: "Today"}, shows(viewToday)},
	{"/search", "search", signon.Viewer, nil, text{Ja: "顧客を探す", En: "Find a customer"}, shows(viewSearch)},
	{"/customers/{id}", "account", signon.Viewer, nil, text{Ja: "顧客", En: "Customer"}, shows(viewAccount)},

	{"/months", "months", signon.Viewer, inCustomers, text{Ja: "月別エネルギー", En: "By month"}, shows(viewTable("month"))},
	{"/ranks", "ranks", signon.Viewer, inCustomers, text{Ja: "階級別エネルギー", En: "By rank class"}, shows(viewTable("rank"))},
	{"/attention", "attention", signon.Viewer, inCustomers, text{Ja: "要フォロー", En: "To act on"}, shows(viewTable("attention"))},
	{"/past", "past", signon.Viewer, inCustomers, text{Ja: "取引実績のある顧客", En: "Past customers"}, shows(viewTable("past"))},
	{"/cross-sell", "crosssell", signon.Viewer, inCustomers, text{Ja: "クロスセル", En: "Cross-selling"}, shows(viewTable("crosssell"))},
	{"/rankings", "rankings", signon.Viewer, inCustomers, text{Ja: "ランキング比較", En: "Rankings"}, shows(viewTable("ranking"))},
	{"/customers/{id}/months/{month}", "month", signon.Viewer, nil, text{Ja: "月の接触", En: "Contacts of a month"}, shows(viewMonthOf)},

	{"/deals", "deals", signon.Viewer, inSales, text{Ja: "案件", En: "Deals"}, shows(viewTable("deals"))},
	{"/reps", "reps", signon.Manager, inSales, text{Ja: "営業チーム", En: "Sales teams"}, shows(viewReps)},
	{"/funnel", "funnel", signon.Viewer, inSales, text{Ja: "ファネル", En: "Funnel"}, shows(viewFunnel)},

	{"/points", "points", signon.Viewer, inPoints, text{Ja: "配点表", En: "Points table"}, shows(viewPoints)},

	{"/runs", "runs", signon.Manager, inOperations, text{Ja: "実行", En: "Runs"}, shows(viewRuns)},
	{"/runs/{run}", "run", signon.Manager, nil, text{Ja: "実行", En: "Run"}, shows(viewRun)},
	{"/runs/{run}/undo", "undo", signon.Admin, nil, text{Ja: "書き込みの取消", En: "Take back what a run wrote"}, shows(viewUndoing)},
	{"/runs/start", "start", signon.Admin, nil, text{Ja: "いま実行する", En: "Run now"}, shows(viewPulling)},
	{"/errands/{errand}", "errand", signon.Admin, nil, text{Ja: "依頼した作業", En: "What was asked for"}, shows(viewErrand)},
	{"/plans", "plans", signon.Manager, inOperations, text{Ja: "計画と反映", En: "Plans"}, shows(viewPlans)},
	{"/plans/{plan}", "plan", signon.Manager, nil, text{Ja: "計画", En: "Plan"}, shows(viewPlan)},
	{"/plans/{plan}/apply", "apply", signon.Admin, nil, text{Ja: "計画を反映する", En: "Send a plan"}, shows(viewApplying)},
	{"/rejects", "rejects", signon.Manager, inOperations, text{Ja: "保留", En: "Rejects"}, shows(viewRejects)},
	{"/rejects/one", "reject", signon.Manager, nil, text{Ja: "保留", En: "Reject"}, shows(viewReject)},
	{"/rejects/decide", "decide", signon.Admin, nil, text{Ja: "保留の処理", En: "Decide about rejects"}, shows(viewDeciding)},
	{"/quality", "quality", signon.Manager, inOperations, text{Ja: "データの品質", En: "Data quality"}, shows(viewQuality)},
	{"/connections", "health", signon.Manager, inOperations, text{Ja: "接続", En: "Connections"}, shows(viewHealth)},
	{"/configuration", "configuration", signon.Admin, inOperations, text{Ja: "設定", En: "Configuration"}, shows(viewConfiguration)},
	{"/journal", "journal", signon.Admin, inOperations, text{Ja: "操作記録", En: "Journal"}, shows(viewJournal)},
}

// action is something that a button does: a form posts to its path.
type action struct {
	path string // "/plans/{hash}/approve"
	role signon.Role
	// do does it and says which page shows what came of it. It is journaled
	// under the reader's name by what it calls, and pressing twice does it once.
	do func(ctx context.Context, v *visit) (to string, err error)
}

var actions = []action{
	{"/runs/start", signon.Admin, doPull},
	{"/runs/{run}/undo", signon.Admin, doUndo},
	{"/plans/{plan}/apply", signon.Admin, doApply},
	{"/rejects/decide", signon.Admin, doDecide},
}

var errNoPage = fault.New(fault.Config, "", "there is no such page", "", nil)

// Title is the title in a language.
func (p *page) Title(language string) string { return p.title.In(language) }

// home is the page of the navigation to which this one belongs: itself, or the one whose path its own goes on from.
func (p *page) home() (home *page) {
	if p == nil || p.section != nil {
		return p
	}
	for i := range pages {
		at := &pages[i]
		if at.section != nil && strings.HasPrefix(p.path, at.path+"/") && (home == nil || len(at.path) > len(home.path)) {
			home = at
		}
	}
	return home
}

// within is the section that a page belongs to; nil for none.
func (p *page) within() *section {
	switch home := p.home(); {
	case home != nil:
		return home.section
	case p != nil && p.name == "errand":
		return inOperations
	case p != nil && (p.name == "account" || p.name == "month" || p.name == "search"):
		return inCustomers
	}
	return nil
}

// Path is where it is.
func (p *page) Path() string { return p.path }
