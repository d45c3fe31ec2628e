package review

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"energyd/engine"
)

// Least is how many won, and how many lost deals a review needs.
const Least = 40

// Finding is what is wrong with the data, in plain words, and what would be needed.
type Finding struct {
	Code   string `json:"code"`
	Text   string `json:"text"`
	Need   string `json:"need"`
	Refuse bool   `json:"refuse"` // there is no review until it is mended
	TextJa string `json:"text_ja"`
	NeedJa string `json:"need_ja"`
}

// said makes a text in both languages: verbs of ja may take the arguments in another order, as %[2]d.
func said(en, ja string, args ...any) engine.Label {
	return engine.Label{En: fmt.Sprintf(en, args...), Ja: fmt.Sprintf(ja, args...)}
}

func found(code string, refuse bool, text, need engine.Label) Finding {
	return Finding{code, text.En, need.En, refuse, text.Ja, need.Ja}
}

// In gives text and need in a language.
func (f Finding) In(language string) (text, need string) {
	return engine.Label{Ja: f.TextJa, En: f.Text}.In(language), engine.Label{Ja: f.NeedJa, En: f.Need}.In(language)
}

// NoProduct is said of tables whose points are no product.
var NoProduct = found("mode_add", true, said("the table is in mode add, in which points are no products of who and how", "配点表が mode: add（足し算）のため、「誰に × どう接したか」の積として見直せません"),
	said("mode multiply or flat", "mode を multiply または flat にしてください"))

// Undated is said of deals that have no day of opening, or of closing.
func Undated(n int) Finding {
	return found("no_days", false, said("%d deals have no day of opening, or are closed without a day; they were left out", "開始日のない案件、または完了日のない完了案件%d件を除きました", n),
		said("opened_on and closes_on under profile.facts of the mapping of deals", "案件のマッピングの profile.facts に opened_on と closes_on を書いてください"))
}

// Lacking tells whether so many won and lost deals are too few for a review, and what is missing.
func Lacking(won, lost int) (f Finding, few bool) {
	switch {
	case won+lost == 0:
		return found("no_outcome", true, said("no deal has an outcome", "結果（受注・失注）の分かる案件がありません"),
			said("%[1]d won and %[1]d lost deals with the day they were closed", "完了日のある受注%[1]d件・失注%[1]d件が必要です", Least)), true
	case won == 0:
		return found("one_outcome", true, said("all %d closed deals were lost: without the other outcome nothing can be compared", "完了した%d件がすべて失注です。もう一方の結果がないと比べられません", lost),
			said("%d deals that were won; often they are in the CRM, but were filtered out", "受注%d件が必要です。CRM にあるのに読み込み条件で外れていることがよくあります", Least)), true
	case lost == 0:
		return found("one_outcome", true, said("all %d closed deals were won: without the other outcome nothing can be compared", "完了した%d件がすべて受注です。もう一方の結果がないと比べられません", won),
			said("%d deals that were lost; often they are in the CRM, but were filtered out", "失注%d件が必要です。CRM にあるのに読み込み条件で外れていることがよくあります", Least)), true
	case won < Least:
		return found("few_won", true, said("%[1]d won and %[2]d lost deals; a review needs %[3]d of each", "受注%[1]d件・失注%[2]d件です。見直しには各%[3]d件が必要です", won, lost, Least),
			said("%d more won "+plural(Least-won, "deal")+", or a longer period", "受注があと%d件、または、より長い期間が必要です", Least-won)), true
	case lost < Least:
		return found("few_lost", true, said("%[1]d won and %[2]d lost deals; a review needs %[3]d of each", "受注%[1]d件・失注%[2]d件です。見直しには各%[3]d件が必要です", won, lost, Least),
			said("%d more lost "+plural(Least-lost, "deal")+", or a longer period; often lost deals are deleted, or left open", "失注があと%d件、または、より長い期間が必要です。失注が削除されたり、進行中のまま残っていることがよくあります", Least-lost)), true
	}
	return Finding{}, false
}

// lackingAccounts is Lacking of accounts that a success followed at some time, and none at some time.
func lackingAccounts(with, without int) (f Finding, few bool) {
	return found("few_successes", true, said("%d customers had the outcome at some time, %d had times without it", "この結果があった時期のある顧客%d社、なかった時期のある顧客%d社です", with, without),
		said("%[1]d of each: a longer period, another outcome, or other kinds under review in energyd.yaml", "各%[1]d社が必要です。期間を延ばすか、energyd.yaml の review で結果の定義（outcome、kinds）を変えてください", Least)), min(with, without) < Least
}

func (s *Sample) findings(won, lost int) []Finding {
	list := []Finding{} // an empty list in JSON, not null
	add := func(refuse bool, code string, need, text engine.Label) {
		list = append(list, found(code, refuse, text, need))
	}
	lacking := Lacking
	if s.watch != nil {
		lacking = lackingAccounts
	}
	if f, few := lacking(won, lost); few {
		list = append(list, f)
		if f, off := s.cycle(); off {
			list = append(list, f)
		}
	}
	if n := len(s.twice); n > 0 {
		add(false, "deal_twice", said("one line for each deal", "案件ごとに1行にしてください"),
			said("%d "+plural2(n, "deal stands", "deals stand")+" more than once (%s); the first line was taken", "同じ案件が2回以上出てくるもの%d件（%s）。最初の行を使いました", n, some(s.twice)))
	}
	if n := len(s.backward); n > 0 {
		add(false, "closed_before_opened", said("the day each deal was opened, and the later day it was closed", "開始日と、それより後の完了日を確かめてください"),
			said("%d "+plural2(n, "deal was", "deals were")+" closed before the day of opening (%s) and left out", "完了日が開始日より前の案件%d件（%s）を除きました", n, some(s.backward)))
	}
	var early []string
	for i, d := range s.deals {
		if t := s.of(int32(i)); d.Closed != engine.NoDate && len(t) > 0 && t[0].day > d.Closed {
			early = append(early, d.ID)
		}
	}
	if n := len(early); n > 0 {
		add(false, "closed_before_contacts", said("check that the day of closing is the day of the decision, in the same calendar as the contacts", "完了日が、実際に決まった日であるかを確かめてください"),
			said("%d "+plural2(n, "deal has", "deals have")+" an outcome dated before the first contact (%s); these contacts say nothing and were not counted",
				"最初の接触より前に結果が出ている案件%d件（%s）。これらの接触は数えていません", n, some(early)))
	}
	if s.late > 0 {
		add(false, "contacts_after_close", said("contacts entered by the day they took place; if they are typed in after the close, the review sees too little",
			"接触は、行われた日付で記録してください。完了後にまとめて入力されると、見直しで使える接触が減ります"),
			said("%d contacts are dated after the close of their deal (%d deals); they were not counted", "案件の完了後の日付の接触%d件（案件%d件）。数えていません", s.late, len(s.lateDeals)))
	}
	if s.again > 0 {
		add(false, "contact_twice", said("each contact once, by its source and id", "接触は、出所と ID ごとに1回にしてください"),
			said("%d "+plural2(s.again, "contact stands", "contacts stand")+" more than once; the first was taken", "同じ接触が2回以上出てくるもの%d件。最初のものを使いました", s.again))
	}
	for _, kind := range slices.Sorted(maps.Keys(s.unknown)) {
		add(false, "unknown_kind", said("a line for it under kinds in the points table, or its right name in the file", "配点表の kinds に1行足すか、正しい名前にしてください"),
			said("the kind %q is not in the points table; %d contacts were left out", "接触方法 %q は配点表にありません。%d件を除きました", kind, s.unknown[kind]))
	}
	if s.alone > 0 {
		add(false, "no_deal", said("nothing, where customers also have contacts outside deals", "案件以外の接触もある会社では、そのままで構いません"),
			said("%d contacts belong to no open deal of their customer; they were left out", "進行中の案件がない日の接触%d件を除きました", s.alone))
	}
	if len(s.touches) == 0 {
		add(true, "no_contacts", said("contacts that name the deal (deal_id), or customers by the same ids as the deals (account_id)", "接触に案件 ID（deal_id）、または案件と同じ顧客 ID（account_id）が必要です"),
			said("no contact belongs to any of these deals", "これらの案件に結びつく接触が1件もありません"))
	}
	return list
}

// leastCycles is of how many closed deals the usual length is told.
const leastCycles = 10

// cycle proposes a half-life where outcomes are too few to fit one: a quarter of the
// median deal's length, as found on real outcomes. Not off is one within a factor of 1.5.
func (s *Sample) cycle() (f Finding, off bool) {
	var days []int
	for _, d := range s.deals {
		if d.Closed != engine.NoDate && d.Closed > d.Opened {
			days = append(days, int(s.table.points.Clock(d.Closed)-s.table.points.Clock(d.Opened)))
		}
	}
	if len(days) < leastCycles {
		return f, false
	}
	slices.Sort(days)
	median := days[len(days)/2]
	usual := max(1, math.Round(float64(median)/4))
	if ratio := s.table.HalfLife / usual; ratio > 1/1.5 && ratio < 1.5 {
		return f, false
	}
	return found("half_life", false,
		said("half of the %[1]d closed deals took no more than %[2]d days; the table in use halves contacts after %[3]g", "完了した案件%[1]d件の半数は%[2]d日以内に終わっています。現行の配点表の半減期は%[3]g日です", len(days), median, s.table.HalfLife),
		said("until outcomes tell more: %s: %g in the points table, a quarter of that", "結果がそろうまでは、その4分の1を目安に、配点表の %s を %g にしてください", s.table.HalfLifePath(), usual)), true
}

// successes counts accounts that a success followed at some time, and those that none followed at some time; most are both.
func successes(rows []row) (with, without int) {
	had, lacked := map[int32]bool{}, map[int32]bool{}
	for _, r := range rows {
		if r.won {
			had[r.deal] = true
		} else {
			lacked[r.deal] = true
		}
	}
	return len(had), len(lacked)
}

// outcomes counts deals that were won and lost.
func (s *Sample) outcomes() (won, lost int) {
	for _, d := range s.deals {
		switch {
		case d.Closed == engine.NoDate:
		case d.Won:
			won++
		default:
			lost++
		}
	}
	return won, lost
}

// onlyWon are kinds that appear in won deals alone: they may be written down because a deal was won. Such a kind is not fitted.
func (s *Sample) onlyWon(rows []row, f *features) (only []bool, list []Finding) {
	type seen struct{ won, lost map[int32]bool }
	outcomes := make([]seen, len(s.table.How))
	for i, r := range rows {
		for _, c := range f.of(i) {
			k := &outcomes[c.how]
			if k.won == nil {
				k.won, k.lost = map[int32]bool{}, map[int32]bool{}
			}
			if r.won {
				k.won[r.deal] = true
			} else {
				k.lost[r.deal] = true
			}
		}
	}
	only = make([]bool, len(outcomes))
	for k, n := range outcomes {
		if len(n.won) >= 5 && len(n.lost) == 0 {
			only[k] = true
			list = append(list, found("only_in_won", false,
				said("%s appears in %d won deals and in no lost one; it may be a consequence of winning, so its points were not fitted",
					"%s は受注案件%d件だけにあり、失注案件にはありません。受注の結果かもしれないため、点は見直していません", s.table.How[k].name(), len(n.won)),
				said("see when it is written down: before the customer decided, or because of the order? Leave it out of the table, or give it 0 points, in the second case",
					"いつ記録されるのかを確かめてください。受注したから記録されるものなら、配点表から外すか 0 点にします")))
		}
	}
	return only, list
}

func (h How) name() string {
	if h.Direction == engine.Mutual {
		return h.Kind
	}
	return h.Kind + " (" + h.Direction.String() + ")"
}

func plural(n int, word string) string { return plural2(n, word, word+"s") }

func plural2(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

func some(ids []string) string {
	ids = slices.Clone(ids)
	if len(ids) > 3 {
		return strings.Join(ids[:3], ", ") + " …"
	}
	return strings.Join(ids, ", ")
}
