package web

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/wording"
)

var mailPort = regexp.MustCompile(`(?m)^(\s+port: )\d+`)

// TestJapanese: of a company with rejects, and with mailboxes that are away, no page in Japanese has an English sentence of ours.
func TestJapanese(t *testing.T) {
	d := dashboard(t, companyAfter(t, func(text string) string { return mailPort.ReplaceAllString(text, "${1}1") }, func(p *pipeline.Pipeline) error {
		r, _, _, err := p.Sync(t.Context())
		if len(r.Errors) == 0 {
			t.Fatal("every source could be read")
		}
		for _, s := range r.Sources { // as the daemon tells it
			if err == nil && s.Error != "" {
				err = p.Store().SetAlert(t.Context(), store.Alert{What: "source " + s.Source, State: string(store.Failed), Since: p.Now(),
					Because: s.Error, ToDo: fault.HintOf(r.Errors[0])})
			}
		}
		return err
	}))
	paths := addresses(t, d)
	delete(paths, "undo") // the run parked, so there is nothing to take back
	for _, nothing := range []string{"/runs/nosuch", "/journal?act=nosuch", "/rejects/nosuch", "/months?band=nosuch"} {
		paths[nothing] = nothing
	}
	said := 0
	for name, address := range paths {
		page, err := html.Parse(get(t, d, address, "ja").Body)
		if err != nil {
			t.Fatal(err)
		}
		for node := range page.Descendants() {
			text := strings.TrimSpace(node.Data)
			if node.Type != html.TextNode || node.Parent.Data == "script" || node.Parent.Data == "style" {
				continue
			}
			if ja := wording.In("ja", text); ja != text {
				t.Errorf("%s: English: %q, which is %q", name, text, ja)
			}
			if strings.Contains(text, "待ち受けているものがありません") || strings.Contains(text, "件が保留") {
				said++
			}
		}
	}
	if said < 4 {
		t.Errorf("only %d sentences of rejects and faults are shown: this proves little", said)
	}
}

// japaneseSentence is how the program's Japanese sentences end or begin; names of customers and words of the points table have none of it.
var japaneseSentence = regexp.MustCompile(`ください|ました|ます|です。|ふだんは|の獲得は`)

// TestEnglish: who reads English meets no Japanese sentence of the program's, though the company's language is Japanese.
func TestEnglish(t *testing.T) {
	d := dashboard(t, company(t))
	for name, address := range addresses(t, d) {
		page, err := html.Parse(get(t, d, address, "en").Body)
		if err != nil {
			t.Fatal(err)
		}
		for node := range page.Descendants() {
			if node.Type == html.TextNode && node.Parent.Data != "script" && japaneseSentence.MatchString(node.Data) {
				t.Errorf("%s: Japanese: %q", name, strings.TrimSpace(node.Data))
			}
		}
	}
}
