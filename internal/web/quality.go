package web

import (
	"context"
	"strings"

	"energyd/internal/pipeline"
	"energyd/internal/report"
)

// quality is how good the sources' records are, and what of them falls through their mappings.
type quality struct {
	Sources []sourceQuality `json:"sources"`
}

// sourceQuality is one source's.
type sourceQuality struct {
	pipeline.SourceQuality
	Kept    int           `json:"kept_back"` // records that are kept back, for whatever reason
	Codes   []rejectCode  `json:"kept_back_by_code,omitempty"`
	Unfound []unfoundName `json:"unfound,omitempty"` // customers, people, deals and reps whom the CRM does not know
	before  map[string]pipeline.Measure
}

// rejectCode is how many records are kept back by a code.
type rejectCode struct {
	Code  string `json:"code"`
	Count int    `json:"count"`
}

// unfoundName is a name that the CRM does not know.
type unfoundName struct {
	Name    string `json:"name"` // "account C0815"
	Records int    `json:"records"`
}

// wordsShown is how many words of a kind a page shows; the JSON has all.
const wordsShown = 30

func viewQuality(ctx context.Context, v *visit) (*quality, error) {
	list, err := v.p.Quality(ctx, "")
	if err != nil {
		return nil, err
	}
	counts, err := v.store().RejectCounts(ctx)
	if err != nil {
		return nil, err
	}
	unfound, err := v.store().Unfound(ctx)
	if err != nil {
		return nil, err
	}
	q := &quality{}
	for _, found := range list {
		s := sourceQuality{SourceQuality: found, before: map[string]pipeline.Measure{}}
		if found.Before != nil {
			for _, m := range pipeline.Measures(*found.Before) {
				s.before[m.Name] = m
			}
		}
		for _, c := range counts {
			if c.Source == found.Source {
				s.Kept += c.Count
				s.Codes = append(s.Codes, rejectCode{c.Code, c.Count})
			}
		}
		for _, u := range unfound {
			if u.Source == found.Source && !strings.HasPrefix(u.What, "title ") { // titles stand in Titles
				s.Unfound = append(s.Unfound, unfoundName{u.What, u.Records})
			}
		}
		q.Sources = append(q.Sources, s)
	}
	return q, nil
}

// Was is the share at the measuring before; "–" where there was none.
func (s sourceQuality) Was(m pipeline.Measure) string {
	before, ok := s.before[m.Name]
	if !ok {
		return "–"
	}
	return report.Value{Number: before.Share}.String(report.Share, "")
}

// Found are the measures that found something, now or before; Clean are the others.
func (s sourceQuality) Found() []pipeline.Measure { return s.measures(false) }

// Clean are the measures that found nothing.
func (s sourceQuality) Clean() []pipeline.Measure { return s.measures(true) }

func (s sourceQuality) measures(clean bool) (list []pipeline.Measure) {
	for _, m := range s.Measures {
		if (m.Count == 0 && s.before[m.Name].Count == 0) == clean {
			list = append(list, m)
		}
	}
	return list
}

// Warnings counts what is above its limit.
func (s sourceQuality) Warnings() (n int) {
	for _, m := range s.Measures {
		if m.Warn {
			n++
		}
	}
	return n
}

// FirstWords, FirstTitles and FirstUnfound are what the page shows of long lists.
func (s sourceQuality) FirstWords() []pipeline.Unknown  { return first(s.Words) }
func (s sourceQuality) FirstTitles() []pipeline.Unknown { return first(s.Titles) }
func (s sourceQuality) FirstUnfound() []unfoundName     { return first(s.Unfound) }

// first is the beginning of a list.
func first[T any](list []T) []T { return list[:min(len(list), wordsShown)] }

// RejectsPath is the page of what is kept back of the source by a code.
func (s sourceQuality) RejectsPath(code string) string {
	return "/rejects?" + chosen{Source: s.Quality.Source, Code: code}.Query()
}

// Advice says what to do about a measure (docs/quality.md).
func (sourceQuality) Advice(m pipeline.Measure) text { return qualityAdvice[m.Name] }

var qualityAdvice = map[string]text{
	"no_account":  {Ja: "顧客をCRMに登録するか、コードを直してください。", En: "Enter the customer in the CRM, or correct the code."},
	"unmapped":    {Ja: "マッピングの lookups に語を加えるか、除外規則を書いてください。", En: "Add the word to the mapping's lookups, or a skip rule."},
	"bad_dates":   {Ja: "日付の列を確かめてください。", En: "Look at the column of the date."},
	"no_contact":  {Ja: "マッピングで担当者のキーを指定してください。", En: "Name the key of contacts in the mapping."},
	"no_rank":     {Ja: "下の役職を titles.yaml の正しい階級に加えてください。", En: "Add the titles below to titles.yaml, each below its rank."},
	"duplicates":  {Ja: "二つの帳票や取込が同じものを書いていないか確かめてください。", En: "Look whether two forms or imports write the same."},
	"doubtful":    {Ja: "数件を顧客のページで比べてください。時刻の誤りが多い原因です。", En: "Compare some on their customers' pages; often a time is wrong."},
	"future":      {Ja: "予定ならマッピングで planned とし、そうでなければ年を直してください。", En: "Let the mapping say planned, or mend the year."},
	"midnight":    {Ja: "日しか分からない元データには date() を使ってください。", En: "The source knows the day alone: use date() in the mapping."},
	"free_days":   {Ja: "時間帯の誤りか、日と月の入れ替わりがないか確かめてください。", En: "Often a wrong zone, or day and month swapped."},
	"late":        {Ja: "報告がいつ書かれているか、現場に確かめてください。", En: "Ask how reports are written."},
	"unconfirmed": {Ja: "参考の数字です。訪問を記録する元データが一つだけなら高くて普通です。", En: "For orientation: high where only one source tells of visits."},
}
