package report

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/store"
)

// Reader is where reports come from.
type Reader interface {
	Profiles(ctx context.Context, kind engine.EntityKind) iter.Seq2[engine.Profile, error]
	Ledger(ctx context.Context, kind engine.EntityKind) iter.Seq2[store.Entry, error]
	Activities(ctx context.Context) iter.Seq2[engine.Activity, error]
	Frozen(ctx context.Context) (store.Frozen, error)
}

// Data is what reports are made of.
type Data struct {
	Reader
	Points   *engine.Points
	Low      *engine.LowConfig    // of the points table's alarms; nil = none
	Halved   *engine.HalvedConfig // the same
	AsOf     engine.Date
	Settings Settings
	Scoped   bool // the points table says who is important (A20)

	read *directory
}

// Options are what a reader of a report may choose.
type Options struct {
	Months    int  // periods shown, the open one included
	Important bool // customers that the directory marks as important, and no others
}

// customer is an account of the directory, or one that only its contacts are known of.
type customer struct {
	id, name, owner, segment string
	important                bool // by the directory, or by the points table: whole after scores
	target                   bool
	// Known after scores.
	band        int8
	low, halved bool
}

// directory is what reports need of the directory, in memory.
type directory struct {
	customers []customer
	at        map[string]int // of an account's id in customers
	reps      map[string]rep
	won       map[string]int                        // won deals with an amount, by currency
	told      map[engine.EntityKind]map[string]bool // facts that some entry has
}

type rep struct {
	name, team string
	target     float64
}

// directory reads accounts and sales people. Deleted and merged accounts are left out.
func (d *Data) directory(ctx context.Context) (*directory, error) {
	if d.read != nil {
		return d.read, nil
	}
	dir := &directory{at: map[string]int{}, reps: map[string]rep{}, won: map[string]int{}, told: map[engine.EntityKind]map[string]bool{}}
	for p, err := range d.Profiles(ctx, engine.Rep) {
		if err != nil {
			return nil, err
		}
		dir.tell(p)
		target, _ := p.Facts.Number("target")
		dir.reps[p.ID] = rep{name: or(p.Name, p.ID), team: p.Facts["team"], target: target}
	}
	teams := map[string]string{} // one string for all who share it
	for p, err := range d.Profiles(ctx, engine.Account) {
		if err != nil {
			return nil, err
		}
		dir.tell(p)
		if p.Deleted || p.Into != "" {
			continue
		}
		segment := p.Facts["segment"]
		if kept, ok := teams[segment]; ok {
			segment = kept
		} else {
			teams[segment] = segment
		}
		dir.at[p.ID] = len(dir.customers)
		dir.customers = append(dir.customers, customer{id: p.ID, name: or(p.Name, p.ID), owner: p.Owner, segment: segment,
			important: p.Facts.True("important") || d.Scoped && d.Points.Important(p, -1), target: p.Facts.True("target")})
	}
	d.read = dir
	return dir, nil
}

func (dir *directory) tell(p engine.Profile) {
	for name := range p.Facts {
		if dir.told[p.Kind] == nil {
			dir.told[p.Kind] = map[string]bool{}
		}
		dir.told[p.Kind][name] = true
	}
}

// about says whom each row of a table is about; at finds its customer.
func (dir *directory) about(at func(row int) int) func(int) Subject {
	return func(row int) Subject { return dir.subject(&dir.customers[at(row)]) }
}

func (dir *directory) subject(c *customer) Subject {
	return Subject{Account: c.id, Owner: c.owner, OwnerName: dir.owner(c), Segment: c.segment, Band: int(c.band), Important: c.important, Low: c.low, Halved: c.halved}
}

// owner names an account's sales person.
func (dir *directory) owner(c *customer) string { return dir.rep(c.owner) }

func (dir *directory) rep(id string) string { return or(dir.reps[id].name, id) }

// lacks notes what a report could show if the mapping told it, and tells whether it was not told.
func (dir *directory) lacks(t *Table, kind engine.EntityKind, fact, example string, why Label) bool {
	if dir.told[kind][fact] {
		return false
	}
	t.Notes = append(t.Notes, missing(kind, fact, example, why))
	return true
}

// missing says which line of a mapping would give a fact.
func missing(kind engine.EntityKind, fact, example string, why Label) Label {
	return Label{
		Ja: fmt.Sprintf("%sがまだ読み込まれていません。%sのマッピングの profile.facts に「%s: %s」のように書き、energyd pull を実行してください。", why.Ja, sourcesOf[kind].Ja, fact, example),
		En: fmt.Sprintf("%s: not read yet. Write a line like \"%s: %s\" under profile.facts of the mapping of %s, and run energyd pull.", why.En, fact, example, sourcesOf[kind].En),
	}
}

// sourcesOf names what a kind of entity is read from.
var sourcesOf = map[engine.EntityKind]Label{
	engine.Account: {Ja: "顧客企業", En: "accounts"},
	engine.Deal:    {Ja: "案件", En: "deals"},
	engine.Rep:     {Ja: "営業担当", En: "sales people"},
	engine.Stage:   {Ja: "案件のステージ履歴", En: "the deals' stage history"},
}

// choose finds out who is important, for reports that look at no scores of customers.
func (d *Data) choose(ctx context.Context, dir *directory, o Options) error {
	if !o.Important || !d.Scoped {
		return nil
	}
	return d.scores(ctx, dir, o, func(int, *customer, *engine.Score, []engine.Cell) {})
}

// scores walks through the customers that are wanted, each with its score, which is only read; it ends before the next.
func (d *Data) scores(ctx context.Context, dir *directory, o Options, do func(i int, c *customer, s *engine.Score, cells []engine.Cell)) error {
	seen := make([]bool, len(dir.customers))
	for e, err := range d.Ledger(ctx, engine.Account) {
		if err != nil {
			return err
		}
		i, ok := dir.at[e.Entity.ID]
		if !ok {
			continue
		}
		seen[i] = true
		c, s := &dir.customers[i], d.Points.Evaluate(engine.Account, e.Cells, d.AsOf)
		c.important = c.important || d.Scoped && d.Points.Important(engine.Profile{}, s.Best)
		c.learn(&s)
		if !o.Important || c.important {
			do(i, c, &s, e.Cells)
		}
	}
	for i := range dir.customers {
		if c := &dir.customers[i]; !seen[i] && (!o.Important || c.important) {
			s := d.Points.Evaluate(engine.Account, nil, d.AsOf)
			c.learn(&s)
			do(i, c, &s, nil)
		}
	}
	return nil
}

// learn keeps what customers are chosen by.
func (c *customer) learn(s *engine.Score) {
	c.band, c.low, c.halved = int8(s.Band), s.Recent.Low, s.Recent.Halved // bands are few
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// heat gives the step of a period's energy: 1 for any at all, one more for each band that
// it would reach, and one for twice the hottest.
func heat(p *engine.Points, m int64) uint8 {
	if m <= 0 {
		return 0
	}
	step := uint8(1)
	for i := range p.Bands() {
		if up := p.Band(i).Up; up > 0 && float64(m) >= 1000*up {
			step++
		}
	}
	if top := p.Band(p.Bands() - 1).Up; top > 0 && float64(m) >= 2000*top {
		step++
	}
	return step
}

// band names a band of temperatures.
func (d *Data) band(i int) Value {
	b := d.Points.Band(i)
	if b.Label == (Label{}) {
		return text(b.Name)
	}
	return Value{Label: b.Label}
}

// bandNamed gives the band that a setting names, or the usual one. Faults: config.
func (d *Data) bandNamed(setting, name string, usual int) (int, error) {
	if name == "" {
		return max(usual, 0), nil
	}
	names := make([]string, d.Points.Bands())
	for i := range names {
		if names[i] = d.Points.Band(i).Name; names[i] == name {
			return i, nil
		}
	}
	return 0, fault.New(fault.Config, "report", fmt.Sprintf("reports.%s: there is no band %q%s", setting, name, fault.DidYouMean(name, names)),
		"the bands of the points table are "+strings.Join(names, ", "), nil)
}

// legend explains the steps.
func legend(p *engine.Points) []Label {
	labels := []Label{{Ja: "0 接触なし", En: "0 no contact"}, {}}
	below := func(to float64) Label {
		return Label{Ja: fmt.Sprintf("%g 未満", to), En: fmt.Sprintf("below %g", to)}
	}
	for i := range p.Bands() {
		up := p.Band(i).Up
		if up == 0 {
			continue
		}
		if labels[1] == (Label{}) {
			labels[1] = below(up)
		}
		labels = append(labels, Label{Ja: fmt.Sprintf("%g 以上", up), En: fmt.Sprintf("%g and more", up)})
	}
	top := p.Band(p.Bands() - 1).Up
	if top == 0 {
		labels[1] = Label{Ja: "接触あり", En: "some"}
		return labels
	}
	return append(labels, Label{Ja: fmt.Sprintf("%g 以上", 2*top), En: fmt.Sprintf("%g and more", 2*top)})
}

// Names lists the reports, in the order in which help shows them.
func Names() []string {
	names := make([]string, len(reports))
	for i, r := range reports {
		names[i] = r.name
	}
	return names
}

// TellsOfPeople tells whether a report shows single sales people where appraisal is on.
func TellsOfPeople(name string) bool { return name == "reps" || name == "kpi" }

// About says in a line what a report shows.
func About(name string) Label {
	for _, r := range reports {
		if r.name == name {
			return r.about
		}
	}
	return Label{}
}

// Make makes a report. Faults: config (no such report), those of the store.
func Make(ctx context.Context, d *Data, name string, o Options) (*Table, error) {
	for _, r := range reports {
		if r.name == name {
			t, err := r.make(ctx, d, o)
			if t != nil {
				t.Name, t.AsOf = r.name, d.AsOf
				if d.read != nil {
					if t.customers = len(d.read.customers); t.customers == 0 {
						t.Notes = []Label{nothing}
					}
				}
			}
			return t, err
		}
	}
	return nil, fault.New(fault.Config, "report", fmt.Sprintf("there is no report %q%s", name, fault.DidYouMean(name, Names())),
		"the reports are "+strings.Join(Names(), ", "), nil)
}

var nothing = Label{Ja: "顧客企業がまだ読み込まれていません。energyd pull から始めてください。", En: "No customers were read yet. Start with energyd pull."}

var reports = []struct {
	name  string
	about Label
	make  func(context.Context, *Data, Options) (*Table, error)
}{
	{"month", Label{Ja: "顧客別・月別の獲得エネルギー", En: "customer × month: energy earned"}, month},
	{"rank", Label{Ja: "顧客別・階級別の獲得エネルギー", En: "customer × rank class: whom we meet"}, rank},
	{"attention", Label{Ja: "要フォロー顧客（獲得が少ない・半減した顧客）", En: "customers who earned little lately, or half of what they did"}, attention},
	{"deals", Label{Ja: "案件エネルギー一覧", En: "open deals with stage, amount and energy"}, deals},
	{"reps", Label{Ja: "営業チーム別の獲得エネルギー", En: "energy by sales team; by sales person where appraisal is on"}, reps},
	{"past", Label{Ja: "取引実績があり、進行中の案件がない顧客", En: "past customers without an open deal"}, past},
	{"ranking", Label{Ja: "顧客ランキング比較（エネルギー・売上・RFM）", En: "customers ranked side by side, with RFM and surprise"}, ranking},
	{"funnel", Label{Ja: "営業ファネル（移行率・所要日数）", En: "the funnel: conversion, time and effort by step"}, funnel},
	{"leads", Label{Ja: "見込み客の分類", En: "companies that never bought, by class"}, leads},
	{"crosssell", Label{Ja: "クロスセル候補", En: "what hot customers may be offered"}, crosssell},
	{"kpi", Label{Ja: "経営指標（達成率・% of Sales・QDQ）", En: "key figures of the fiscal year, quality, direction and quantity"}, kpi},
	{"topics", Label{Ja: "顧客の関心事", En: "what customers showed interest in"}, topics},
}
