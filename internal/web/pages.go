package web

import (
	"context"
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
	// view makes what is shown: one struct with json tags. Faults: config for
	// what there is not (404), auth (403), those of the store.
	view func(ctx context.Context, v *visit) (any, error)
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
	{"/today", "today", signon.Viewer, inToday, text{Ja: "今日", En: "Today"}, viewToday},
	{"/search", "search", signon.Viewer, nil, text{Ja: "顧客を探す", En: "Find a customer"}, viewSearch},
	{"/customers/{id}", "account", signon.Viewer, nil, text{Ja: "顧客", En: "Customer"}, viewAccount},

	{"/months", "months", signon.Viewer, inCustomers, text{Ja: "月別エネルギー", En: "By month"}, viewTable("month")},
	{"/ranks", "ranks", signon.Viewer, inCustomers, text{Ja: "階級別エネルギー", En: "By rank class"}, viewTable("rank")},
	{"/attention", "attention", signon.Viewer, inCustomers, text{Ja: "要フォロー", En: "To act on"}, viewTable("attention")},
	{"/past", "past", signon.Viewer, inCustomers, text{Ja: "取引実績のある顧客", En: "Past customers"}, viewTable("past")},
	{"/cross-sell", "crosssell", signon.Viewer, inCustomers, text{Ja: "クロスセル", En: "Cross-selling"}, viewTable("crosssell")},
	{"/rankings", "rankings", signon.Viewer, inCustomers, text{Ja: "ランキング比較", En: "Rankings"}, viewTable("ranking")},
	{"/customers/{id}/months/{month}", "month", signon.Viewer, nil, text{Ja: "月の接触", En: "Contacts of a month"}, viewMonthOf},

	{"/deals", "deals", signon.Viewer, inSales, text{Ja: "案件", En: "Deals"}, viewTable("deals")},
	{"/reps", "reps", signon.Manager, inSales, text{Ja: "営業チーム", En: "Sales teams"}, viewReps},
	{"/funnel", "funnel", signon.Viewer, inSales, text{Ja: "ファネル", En: "Funnel"}, viewFunnel},

	{"/points", "points", signon.Viewer, inPoints, text{Ja: "配点表", En: "Points table"}, viewPoints},

	{"/runs", "runs", signon.Manager, inOperations, text{Ja: "実行", En: "Runs"}, viewRuns},
	{"/runs/{run}", "run", signon.Manager, nil, text{Ja: "実行", En: "Run"}, viewRun},
	{"/runs/{run}/undo", "undo", signon.Admin, nil, text{Ja: "書き込みの取消", En: "Take back what a run wrote"}, viewUndoing},
	{"/runs/start", "start", signon.Admin, nil, text{Ja: "いま実行する", En: "Run now"}, viewPulling},
	{"/errands/{errand}", "errand", signon.Admin, nil, text{Ja: "依頼した作業", En: "What was asked for"}, viewErrand},
	{"/plans", "plans", signon.Manager, inOperations, text{Ja: "計画と反映", En: "Plans"}, viewPlans},
	{"/plans/{plan}", "plan", signon.Manager, nil, text{Ja: "計画", En: "Plan"}, viewPlan},
	{"/plans/{plan}/apply", "apply", signon.Admin, nil, text{Ja: "計画を反映する", En: "Send a plan"}, viewApplying},
	{"/rejects", "rejects", signon.Manager, inOperations, text{Ja: "保留", En: "Rejects"}, viewRejects},
	{"/rejects/one", "reject", signon.Manager, nil, text{Ja: "保留", En: "Reject"}, viewReject},
	{"/rejects/decide", "decide", signon.Admin, nil, text{Ja: "保留の処理", En: "Decide about rejects"}, viewDeciding},
	{"/quality", "quality", signon.Manager, inOperations, text{Ja: "データの品質", En: "Data quality"}, viewQuality},
	{"/connections", "health", signon.Manager, inOperations, text{Ja: "接続", En: "Connections"}, viewHealth},
	{"/configuration", "configuration", signon.Admin, inOperations, text{Ja: "設定", En: "Configuration"}, viewConfiguration},
	{"/journal", "journal", signon.Admin, inOperations, text{Ja: "操作記録", En: "Journal"}, viewJournal},
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

// Path is where it is.
func (p *page) Path() string { return p.path }
