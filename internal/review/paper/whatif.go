package paper

import (
	"cmp"
	"fmt"
	"strings"

	"energyd/engine"
	"energyd/internal/explain"
	"energyd/internal/review"
)

// Words name kinds of contact as a points table does.
type Words func(kind string) engine.Label

// WordsOf names kinds as the table in use does, those that it lacks as the other one does.
func WordsOf(present *engine.Points, other *engine.PointsConfig) Words {
	return func(kind string) engine.Label {
		if label := present.KindLabel(kind); label != (engine.Label{}) {
			return label
		}
		return other.Kinds[kind].Label
	}
}

// OfWhatIf tells what another points table would do.
func OfWhatIf(w *review.WhatIf, words Words, language string) *Document {
	s := teller{speaker(language), words, sidesOf(w)}
	d := &Document{Language: language, Title: s.say("配点表を変えたら", "If the points table were another one"), AsOf: w.AsOf}
	d.Lead = s.say("現行の配点表「%s」を「%s」に替えた場合です。何も書き込んでいません。", "The table in use, %q, against %q. Nothing was written.", w.Present, w.Candidate)
	if w.Sample > 0 {
		d.Lead += s.say("見たのは顧客%d社だけです。", " Of %d customers alone.", w.Sample)
	}
	for i := range w.Kinds {
		if w.Kinds[i].Entities > 0 {
			d.Sections = append(d.Sections, s.bands(&w.Kinds[i]), s.movers(&w.Kinds[i]))
		}
	}
	if len(d.Sections) == 0 {
		d.Sections = append(d.Sections, Section{Heading: s.say("温度", "Temperatures"), Words: []string{s.say("接触がまだ読み込まれていません。energyd pull から始めてください。", "No contacts were read yet. Start with energyd pull.")}})
		return d
	}
	d.Sections = append(d.Sections, s.alarms(w), s.reps(w), s.writeBacks(w))
	if w.Sample == 0 {
		d.Sections = append(d.Sections, s.judged(w))
	}
	return d
}

// teller tells in one language, with a table's names for contacts.
type teller struct {
	speaker
	words Words
	sides map[string]int // of a kind: whose acts there are; where one alone, it is not told
}

// sidesOf counts whose acts the kinds of contact are that a comparison tells of.
func sidesOf(w *review.WhatIf) map[string]int {
	seen := map[[2]string]bool{}
	sides := map[string]int{}
	for _, k := range w.Kinds {
		for _, m := range k.Movers {
			for _, r := range m.Why {
				if key := [2]string{r.Kind, r.Direction}; !seen[key] {
					seen[key] = true
					sides[r.Kind]++
				}
			}
		}
	}
	return sides
}

// kindName names a sort of contact.
func (s teller) kindName(kind, direction string) string {
	name := cmp.Or(s.words(kind).In(string(s.speaker)), kind)
	if s.sides[kind] < 2 {
		return name
	}
	switch direction {
	case "in":
		return s.say(name+"（顧客から）", name+" (theirs)")
	case "out":
		return s.say(name+"（こちらから）", name+" (ours)")
	}
	return name
}

var entityNames = map[string]engine.Label{
	"account": {Ja: "顧客企業", En: "Customers"}, "contact": {Ja: "担当者", En: "Contacts"}, "deal": {Ja: "案件", En: "Deals"}, "group": {Ja: "企業グループ", En: "Groups"},
}

func (s teller) bands(k *review.Shift) Section {
	name := entityNames[k.Kind].In(string(s.speaker))
	heads := []string{s.say("現行 ＼ 変更後", "in use \\ then")}
	for _, b := range k.Next {
		heads = append(heads, ">"+b)
	}
	t := table(append(heads, ">"+s.say("計", "all"))...)
	for _, b := range k.Bands {
		cells, all := []Cell{plain(b.Band)}, 0
		for _, n := range b.To {
			all += n
			c := plain(fmt.Sprint(n))
			if n == 0 {
				c = Cell{"·", "faint"}
			}
			cells = append(cells, c)
		}
		t.row(append(cells, plain(fmt.Sprint(all)))...)
	}
	sec := Section{Heading: s.say("%s：温度帯の移り変わり（%d件）", "%s: from band to band (%d)", name, k.Entities), Table: t}
	sec.Notes = append(sec.Notes, s.say("温度帯が上がるもの%d件、下がるもの%d件。", "%d in a warmer band, %d in a colder one.", k.Warmer, k.Colder))
	if k.Ratio > 0 {
		sec.Notes = append(sec.Notes, s.say("温度の合計は%.2f倍。違いが大きいときは、温度帯の境目（bands）も合わせて見直してください。", "All temperatures together × %.2f; where that is far from 1, the bands need other borders too.", k.Ratio))
	}
	if k.Rank != nil {
		sec.Notes = append(sec.Notes, s.say("並び順の一致（順位相関）%.3f：1 なら順番は変わりません。", "Rank correlation %.3f: at 1 nobody changes places.", *k.Rank))
	}
	return sec
}

func (s teller) movers(k *review.Shift) Section {
	name := entityNames[k.Kind].In(string(s.speaker))
	sec := Section{Heading: s.say("%s：大きく動くもの", "%s that move most", name)}
	if len(k.Movers) == 0 {
		sec.Words = []string{s.say("ほかより大きく動くものはありません。", "None moves by more than the others.")}
		return sec
	}
	t := table(name, ">"+s.say("温度", "temperature"), ">"+s.say("順位", "place"), s.say("温度帯", "band"), s.say("主な理由", "mostly by"))
	for _, m := range k.Movers {
		band := m.Before.Band
		if m.After.Band != band {
			band += " → " + m.After.Band
		}
		t.row(plain(cmp.Or(m.Name, m.ID)), plainf("%.1f → %.1f", m.Before.Temperature, m.After.Temperature), places(m.Before.Place, m.After.Place), Cell{band, "short"}, plain(s.reasons(m.Why)))
	}
	sec.Table = t
	return sec
}

// places are two places, coloured by which way they went.
func places(before, after float64) Cell {
	c := plainf("%g → %g", before, after)
	switch {
	case after < before:
		c.Class = "up"
	case after > before:
		c.Class = "down"
	}
	return c
}

func (s teller) reasons(why []review.Reason) string {
	list := make([]string, len(why))
	for i, r := range why {
		list[i] = s.say("%s %d回 %.1f→%.1f点", "%s × %d: %.1f → %.1f points", s.kindName(r.Kind, r.Direction), r.Contacts, r.Before, r.After)
	}
	return strings.Join(list, s.say("、", "; "))
}

func (s teller) alarms(w *review.WhatIf) Section {
	sec := Section{Heading: s.say("アラーム（%s から %s まで）", "Alarms (%s to %s)", w.From, w.AsOf)}
	if len(w.Alarms) == 0 {
		sec.Words = []string{s.say("どちらの配点表でも出ません。", "None by either table.")}
		return sec
	}
	t := table(s.say("アラーム", "alarm"), ">"+s.say("現行", "in use"), ">"+s.say("変更後", "then"), ">"+s.say("同じもの", "the same"))
	for _, a := range w.Alarms {
		t.row(plain(s.alarm(a.Kind)), plain(fmt.Sprint(a.Before)), plain(fmt.Sprint(a.After)), plain(fmt.Sprint(a.Both)))
	}
	sec.Table = t
	sec.Notes = []string{s.say("出たはずの件数です。担当ごとの週の上限などは、この後で決まります。", "As many as would have fired; who is told is decided after that, by the week's budget and the like.")}
	return sec
}

func (s teller) alarm(name string) string {
	for k, n := range engine.AlarmKinds() {
		if n == name {
			return explain.AlarmLabel(engine.AlarmKind(k)).In(string(s.speaker)) // six kinds
		}
	}
	return name
}

func (s teller) reps(w *review.WhatIf) Section {
	sec := Section{Heading: s.say("営業チーム別の獲得エネルギー（%s から）", "Energy earned by sales team (since %s)", w.From)}
	head := s.say("チーム", "team")
	if w.People {
		sec.Heading, head = s.say("営業担当別の獲得エネルギー（%s から）", "Energy earned by sales person (since %s)", w.From), s.say("担当", "name")
	}
	if len(w.Reps) == 0 {
		sec.Words = []string{s.say("営業担当の分かる接触がありません。", "No contact tells whose it was.")}
		return sec
	}
	t := table(head, ">"+s.say("現行", "in use"), ">"+s.say("変更後", "then"), ">"+s.say("増減", "change"))
	for _, r := range w.Reps {
		change := "–"
		if r.Before > 0 {
			change = fmt.Sprintf("%+.0f %%", 100*(r.After/r.Before-1))
		}
		t.row(plain(cmp.Or(r.Name, s.say("チームなし", "no team"))), plainf("%.1f", r.Before), plainf("%.1f", r.After), plain(change))
	}
	sec.Table = t
	if w.Frozen != "" {
		sec.Notes = append(sec.Notes, s.say("%s までの月は確定しています。その分の増減は、次の月の調整として現れます。", "Months up to %s are frozen: what changes in them appears as an adjustment of the month after.", w.Frozen))
	}
	return sec
}

func (s teller) writeBacks(w *review.WhatIf) Section {
	sec := Section{Heading: s.say("CRM への書き込み", "Records written to the CRM")}
	if len(w.WriteBacks) == 0 {
		sec.Words = []string{s.say("設定に write がないため、書き込みはありません。", "The configuration has no write section: none.")}
		return sec
	}
	t := table(s.say("書き込み先", "object"), ">"+s.say("レコード", "records"), ">"+s.say("値が変わる", "with other values"), ">"+s.say("版だけ変わる", "with another version alone"))
	for _, b := range w.WriteBacks {
		t.row(plain(b.Name), plain(fmt.Sprint(b.Records)), plain(fmt.Sprint(b.Changed)), plain(fmt.Sprint(b.Version)))
	}
	sec.Table = t
	sec.Notes = []string{s.say("配点表を替えた後、energyd plan が正確な件数と API 呼び出し数を示します。", "Once the table is exchanged, energyd plan tells exactly which, and how many API calls.")}
	return sec
}

func (s teller) judged(w *review.WhatIf) Section {
	sec := Section{Heading: s.say("受注を言い当てる力", "Which table foretells orders better")}
	if j := w.Judged; j != nil {
		sec.Words = []string{
			s.say("%s 以降に決まった案件（受注%d件・失注%d件）を、進行中だった週ごとに見ました。", "Deals decided since %s (%d won, %d lost), looked at in each week while they were open.", w.From, j.Won, j.Lost),
			s.say("受注した案件のほうが温度が高かった割合（AUC）：現行 %.3f、変更後 %.3f。差 %+.3f（95 %% の範囲 %+.3f 〜 %+.3f）。0.5 なら偶然です。",
				"How often the won one was the warmer (AUC): %.3f by the table in use, %.3f by the other one. Difference %+.3f (95 %%: %+.3f to %+.3f). 0.5 is a coin.",
				j.Present.Value, j.Candidate.Value, j.Gain.Value, j.Gain.Low, j.Gain.High),
		}
		sec.Notes = []string{s.say("見直し案は、この案件の一部から学んだものかもしれません。学んでいない案件での差は energyd review が示します。",
			"A table that a review proposed has learned from some of these deals; energyd review tells the difference on deals that it has not seen.")}
		return sec
	}
	for _, f := range w.Notes {
		text, need := f.In(string(s.speaker))
		sec.Words = append(sec.Words, s.say("比べていません。", "Not compared: ")+text+s.say("。", "; needed: ")+need)
	}
	if len(sec.Words) == 0 {
		sec.Words = []string{s.say("この期間には、受注と失注の両方がありません。", "The period has no deals of both outcomes.")}
	}
	return sec
}
