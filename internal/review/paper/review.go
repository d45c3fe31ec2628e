package paper

import (
	"cmp"
	"fmt"
	"strings"

	"energyd/engine"
	"energyd/internal/review"
)

// OfReview tells what a review found.
func OfReview(r *review.Result, words Words, asOf, language string) *Document {
	s := reviewer{teller{speaker(language), words, map[string]int{}}, r}
	for _, w := range r.How {
		if w.Deals > 0 {
			s.sides[w.Kind]++
		}
	}
	d := &Document{Language: language, Title: s.say("配点の見直し", "The points, reviewed"), AsOf: asOf, Lead: r.Verdict.In(language), Good: r.Verdict.Change}
	if r.Present != nil {
		d.Sections = append(d.Sections, s.looked())
	}
	if h := r.HalfYear; h != nil {
		d.Sections = append(d.Sections, s.halfYear(), s.moved())
		if r.Verdict.Change {
			d.Lead += s.say("。最も熱い1割のうち%sに至ったのは、現行では %.0f %%、見直し案では %.0f %%。", ". Of the hottest tenth, %.0[2]f %% ended in %[1]s by the table in use, %.0[3]f %% by the proposed one.",
				s.success(), 100*h.Present, 100*h.Proposed)
		}
	}
	if r.Proposed != nil {
		d.Sections = append(d.Sections, s.points())
	}
	if r.Present != nil {
		d.Sections = append(d.Sections, s.reliability(), s.figures())
	}
	if len(r.Drift) > 0 {
		d.Sections = append(d.Sections, s.drift())
	}
	d.Sections = append(d.Sections, s.findings())
	return d
}

// reviewer tells of one review.
type reviewer struct {
	teller
	r *review.Result
}

// deals names what is looked at.
func (s reviewer) deals() string {
	if s.r.Subject == "account" {
		return s.say("顧客", "customers")
	}
	return s.say("案件", "deals")
}

// success names what is foretold.
func (s reviewer) success() string {
	switch s.r.Outcome {
	case review.OutcomeMeeting:
		return s.say("経営陣との面談", "a meeting with an executive")
	case review.OutcomeReply:
		return s.say("顧客からの返信", "a reply of the customer")
	case review.OutcomeRenewal:
		return s.say("再購入", "another purchase")
	}
	return s.say("受注", "an order")
}

func (s reviewer) looked() Section {
	r := s.r
	sec := Section{Heading: s.say("何を見たか", "What was looked at")}
	sec.Words = []string{
		s.say("%s%d件を、進行中だった日の温度と、その後%d日以内に%sがあったかどうかで見ました。その日より後のことは一切使っていません。",
			"%[2]d %[1]s, by their temperature on days when nobody knew yet, and whether there was %[4]s within %[3]d days. Nothing from after such a day is in it.",
			s.deals(), r.Deals, r.Horizon, s.success()),
		s.say("%s までの分で学び、それより新しい%s%d件で試しました。", "Learned from what was known by %s, tried on the newer %[3]d %[2]s.", r.TrainUntil, s.deals(), r.Test.Deals),
	}
	if r.Learned > 0 {
		sec.Notes = append(sec.Notes, s.say("学ぶには%d件で足りるため、その数だけを無作為に選びました。", "To learn, %d are enough; they were drawn by chance.", r.Learned))
	}
	return sec
}

func (s reviewer) halfYear() Section {
	h := s.r.HalfYear
	sec := Section{Heading: s.say("この半年、何が違っていたか（%s から %s）", "What would have been different (%s to %s)", h.From, h.To)}
	sec.Words = []string{s.say("温度の高い順に上位1割の%sだけを追っていたら、%sに至った割合は次のとおりです。",
		"Had you followed only the hottest tenth of the %s, so many of them would have ended in %s:", s.deals(), s.success())}
	sec.Bars = []Bar{{s.say("全体", "all"), h.All, "base"}, {s.say("現行の配点表の上位1割", "hottest, table in use"), h.Present, "before"},
		{s.say("見直し案の上位1割", "hottest, fitted table"), h.Proposed, "after"}}
	sec.Notes = []string{
		s.say("全体では100件中%.0f件、現行の配点表の上位1割では%.0f件、見直し案の上位1割では%.0f件でした。", "Of 100: %.0f of all, %.0f of the hottest by the table in use, %.0f of the hottest by the fitted one.", 100*h.All, 100*h.Present, 100*h.Proposed),
		s.say("見直し案だけが熱いと見ていたもの：%sに至った%d件、至らなかった%d件。", "Hot by the fitted table alone: %[2]d that ended in %[1]s, %[3]d that did not.", s.success(), h.Found, h.Misled),
		s.say("現行の配点表だけが熱いと見ていたもの：%sに至った%d件、至らなかった%d件。", "Hot by the table in use alone: %[2]d that ended in %[1]s, %[3]d that did not.", s.success(), h.Missed, h.Spared),
	}
	return sec
}

func (s reviewer) moved() Section {
	h := s.r.HalfYear
	sec := Section{Heading: s.say("順位が大きく動く%s", "The %s that move most", s.deals())}
	if len(h.Movers) == 0 {
		sec.Words = []string{s.say("順位の動くものはありません。", "None changes places.")}
		return sec
	}
	sec.Words = []string{s.say("この半年に見た%d件の中での順位です（1 が最も熱い）。それぞれ最後に見た週のものです。○は、見直し案が正しい方向に動かしたものです。", "Places among the %d that were looked at (1 = hottest), each in the last week that it was. ○: the fitted table moves it the right way.", h.Deals)}
	t := table(s.deals(), s.say("結果", "outcome"), ">"+s.say("順位", "place"), s.say("当否", "right?"), s.say("主な理由（現行→見直し案の点）", "mostly by (points in use → fitted)"))
	for _, m := range h.Movers {
		outcome := Cell{s.say("至らず", "no"), "short"}
		if m.Won {
			outcome.Text = s.say("あり", "yes")
		}
		if s.r.Subject == "deal" {
			outcome.Text = s.say("失注", "lost")
			switch {
			case m.Won:
				outcome.Text = s.say("受注", "won")
			case m.Closed == "":
				outcome.Text = s.say("進行中", "open")
			}
		}
		right := "" // nobody knows of an open one
		if m.Won || m.Closed != "" || s.r.Subject != "deal" {
			right = "×"
			if m.Won == (m.After.Place < m.Before.Place) {
				right = "○"
			}
		}
		t.row(plain(cmp.Or(m.Name, m.ID)), outcome, places(m.Before.Place, m.After.Place), plain(right), plain(s.reasons(m.Why)))
	}
	sec.Table = t
	return sec
}

var verdictWords = map[string]engine.Label{
	review.Keep:   {Ja: "そのまま", En: "keep"},
	review.Raise:  {Ja: "上げる", En: "raise"},
	review.Lower:  {Ja: "下げる", En: "lower"},
	review.TooFew: {Ja: "データ不足", En: "too little data"},
	review.AsAll:  {Ja: "役職全体で", En: "with all ranks"},
}

func (s reviewer) points() Section {
	r := s.r
	sec := Section{Heading: s.say("点をどう変えるか", "The points")}
	if !r.Verdict.Change {
		sec.Words = []string{s.say("計算上の案です。上のとおり、いまは変更を勧めません。", "This is what the figures give; as said above, no change is proposed now.")}
	}
	t := table(s.say("接触方法・役職", "contact, rank"), ">"+s.say("現行", "in use"), ">"+s.say("現行（換算）", "in use, to scale"), ">"+s.say("見直し案", "fitted"), ">"+s.say("95 % の範囲", "95 %"), ">"+s.deals(), s.say("判断", "verdict"))
	for _, list := range [][]review.Weight{r.How, r.Ranks} {
		for _, w := range list {
			if w.Deals > 0 {
				t.row(s.weight(w)...)
			}
		}
	}
	t.row(plain(s.say("半減期（日）", "half-life in days")), plainf("%g", r.HalfLife.Present), plain(""), plainf("%g", r.HalfLife.Proposed), plain(""), plain(""), plain(""))
	sec.Table = t
	sec.Notes = []string{
		s.say("点は比率だけが意味を持ちます。「現行（換算）」は現行の点を見直し案と同じ大きさに直したもので、判断はこれと比べています。",
			"Only the proportions of points matter. \"To scale\" are the points in use brought to the size of the fitted ones; verdicts compare with these."),
		s.say("この案では温度が平均%.2f倍になります。温度帯の境目も同じだけ動かしてください。", "Under the fitted table temperatures are %.2f times as high: bands must move by as much.", r.Energy),
	}
	return sec
}

func (s reviewer) weight(w review.Weight) []Cell {
	name := s.words(w.Name).In(string(s.speaker))
	if w.Kind != "" {
		direction := w.Direction
		if w.All {
			direction = ""
		}
		name = s.kindName(w.Kind, direction)
	}
	between := ""
	if w.Verdict != review.TooFew && w.Verdict != review.AsAll {
		between = fmt.Sprintf("%.1f–%.1f", w.Low, w.High)
	}
	verdict := Cell{verdictWords[w.Verdict].In(string(s.speaker)), map[string]string{review.Raise: "up", review.Lower: "down", review.TooFew: "faint"}[w.Verdict]}
	scaled := ""
	if between != "" {
		scaled = fmt.Sprintf("%.1f", w.Compared)
	}
	return []Cell{plain(cmp.Or(name, w.Name)), plainf("%g", w.Present), plain(scaled), plainf("%g", w.Proposed), plain(between), plain(fmt.Sprint(w.Deals)), verdict}
}

// reliability shows what was foretold, and what came.
func (s reviewer) reliability() Section {
	r := s.r
	plot := &Plot{Title: s.say("予測と実際", "Foretold, and what came"), X: s.say("予測した確率", "foretold"), Y: s.say("実際の割合", "what came"), Even: s.say("予測どおり", "as foretold")}
	lines := []struct {
		name, class string
		figures     *review.Figures
	}{{s.say("現行", "table in use"), "before", r.Present}, {s.say("見直し案", "fitted table"), "after", r.Proposed}}
	var shares []float64
	for _, l := range lines {
		if l.figures != nil {
			for _, b := range l.figures.Calibration.Bins {
				shares = append(shares, b.Foretold, b.Won)
			}
		}
	}
	plot.scale(shares...)
	for _, l := range lines {
		if l.figures == nil {
			continue
		}
		line := Line{Name: l.name, Class: l.class}
		var path []string
		for _, b := range l.figures.Calibration.Bins {
			says := s.say("%s：%.0f %% と予測、実際は %.0f %%（%d件）", "%s: %.0f %% foretold, %.0f %% came (%d)", l.name, 100*b.Foretold, 100*b.Won, b.Rows)
			line.Dots = append(line.Dots, Dot{plot.x(b.Foretold), plot.y(b.Won), says})
			path = append(path, fmt.Sprintf("%g,%g", plot.x(b.Foretold), plot.y(b.Won)))
		}
		line.Path = strings.Join(path, " ")
		plot.Lines = append(plot.Lines, line)
	}
	heads := []string{s.say("確率の低い順の10組", "tenths, from the least likely"), ">" + s.say("件数", "looks"), ">" + s.say("現行の予測", "foretold, in use"), ">" + s.say("実際", "came")}
	if r.Proposed != nil {
		heads = append(heads, ">"+s.say("見直し案の予測", "foretold, fitted"), ">"+s.say("実際", "came"))
	}
	t := table(heads...)
	for i, b := range r.Present.Calibration.Bins {
		cells := []Cell{plain(fmt.Sprint(i + 1)), plain(fmt.Sprint(b.Rows)), plain(s.percent(b.Foretold)), plain(s.percent(b.Won))}
		if r.Proposed != nil { // the same looks, in another order
			b := r.Proposed.Calibration.Bins[i]
			cells = append(cells, plain(s.percent(b.Foretold)), plain(s.percent(b.Won)))
		}
		t.row(cells...)
	}
	return Section{Heading: s.say("予測はどれだけ当たったか", "Can the figures be taken at their word?"), Plot: plot, Table: t,
		Words: []string{s.say("点線に近いほど、予測した確率のとおりになっています。", "The nearer to the dashed line, the more things came as they were foretold.")}}
}

func (s reviewer) figures() Section {
	r := s.r
	t := table(s.say("並べ方", "ordered by"), ">AUC", ">95 %", ">"+s.say("上位1割の倍率", "lift at 10 %"), ">Brier", ">"+s.say("較正の傾き", "calibration slope"))
	for _, o := range []struct{ key, name string }{
		{"contact_count", s.say("接触の回数", "number of contacts")}, {"recency", s.say("最終接触からの日数", "days since the last contact")}, {"rfm", "RFM"},
	} {
		t.row(plain(o.name), plainf("%.3f", r.Others[o.key].AUC), plain(""), plainf("%.2f", r.Others[o.key].Lift), plain(""), plain(""))
	}
	line := func(name string, f *review.Figures) {
		t.row(plain(name), plainf("%.3f", f.AUC.Value), plainf("%.3f–%.3f", f.AUC.Low, f.AUC.High), plainf("%.2f", f.Lift), plainf("%.3f", f.Brier), plainf("%.2f", f.Calibration.Slope))
	}
	line(s.say("現行の配点表", "the table in use"), r.Present)
	if r.Proposed != nil {
		line(s.say("見直し案", "the fitted table"), r.Proposed)
	}
	return Section{Heading: s.say("数字で見ると", "In figures"), Table: t, Notes: []string{
		s.say("AUC：%sに至ったほうの温度が高かった割合。0.5 は偶然、1 は完全です。", "AUC: how often the one that ended in %s was the warmer. 0.5 is a coin, 1 is always.", s.success()),
		s.say("上位1割の倍率：最も熱い1割が、全体の何倍至ったか。Brier は 0 が最良。傾きが 1 より小さければ言い過ぎ、大きければ控えめです。",
			"Lift: how much more often than all the hottest tenth did. Brier: 0 is best. A slope below 1 is too bold, above 1 too timid."),
	}}
}

func (s reviewer) findings() Section {
	sec := Section{Heading: s.say("データについて", "About the data")}
	for _, f := range s.r.Findings {
		text, need := f.In(string(s.speaker))
		sec.Notes = append(sec.Notes, text+s.say("。→ ", " → ")+need)
	}
	sec.Notes = append(sec.Notes, s.say("見直しで分かるのは「受注とともに現れるもの」で、「受注させるもの」ではありません。営業担当は、良い案件ほど多く接触します。",
		"A review shows what goes with winning, not what makes customers buy: sales people give good deals more contact."))
	return sec
}

// drift shows how far contacts moved.
func (s reviewer) drift() Section {
	heads := []string{s.say("接触方法", "contact")}
	last := s.r.Drift[0].Months
	for _, m := range last {
		heads = append(heads, ">"+m.Month)
	}
	t := table(heads...)
	for _, d := range s.r.Drift {
		cells := []Cell{plain(cmp.Or(s.words(d.Kind).In(string(s.speaker)), d.Kind))}
		for _, m := range d.Months {
			c := plainf("%.2f", m.Index)
			if m.Index > review.DriftLimit {
				c.Class = "up"
			}
			cells = append(cells, c)
		}
		t.row(cells...)
	}
	return Section{Heading: s.say("接触のしかたは変わったか", "Do customers still behave as they did?"), Table: t,
		Words: []string{s.say("接触方法ごとの毎月の変化（PSI）です。0 なら以前と同じ、%.1f を超えたら配点を見直す時期です。", "The population stability index of each kind of contact: 0 is as before; above %.1f it is time to review the points.", review.DriftLimit)}}
}
