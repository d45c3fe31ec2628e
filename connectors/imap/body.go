package imap

import (
	"context"
	"slices"
	"strings"
	"sync"

	imap "github.com/emersion/go-imap/v2"

	"energyd/connectors/imap/message"
)

const (
	structureBatch = 100      // mails: one that the library cannot parse ends the connection
	partBatch      = 50       // mails whose parts stand at the same places
	maxPart        = 64 << 10 // bytes fetched of one part [63]
)

// bodies looks into the bodies of those mails whose header says that they may
// hold an answer, a report or a meeting. Only small parts are fetched, never
// attachments [64]; they are dropped as soon as they were looked at.
func (t *turn) bodies(ctx context.Context, b *box, f *folder, mails []*mail) error {
	byUID := map[imap.UID]*mail{}
	var uids []imap.UID
	for _, m := range mails {
		if m.verdict.look && m.header != nil {
			byUID[m.uid] = m
			uids = append(uids, m.uid)
		} else {
			m.header = nil
		}
	}
	if len(uids) == 0 {
		return nil
	}
	// A mail that the library cannot parse ends the connection: it must not be one that was asked for beforehand.
	if err := t.with(ctx, b, (*session).settle); err != nil {
		return err
	}
	plans, err := t.structures(ctx, b, f, uids, byUID)
	if err != nil {
		return err
	}
	// Mails that need the same sections are asked for together.
	groups := map[string][]imap.UID{}
	for _, uid := range uids {
		if p := plans[uid]; p != nil {
			groups[p.sections] = append(groups[p.sections], uid)
		}
	}
	for sections, uids := range groups {
		if err := t.parts(ctx, b, f, sections, uids, plans); err != nil {
			return err
		}
	}
	for uid, m := range byUID {
		if p := plans[uid]; p != nil {
			m.Message = message.ReadParts(m.header, p.parts)
			m.verdict = t.judge(m)
		}
		m.header = nil
	}
	return nil
}

// plan is what is known of a mail's parts, and which are to be fetched.
type plan struct {
	parts    []message.Part
	encoding []string
	place    []string // "1.2", as parts
	sections string   // "1.2 3.HEADER"; "" = none
}

// structures asks how mails are built. One whose structure cannot be parsed
// stays what its header says.
func (t *turn) structures(ctx context.Context, b *box, f *folder, uids []imap.UID, byUID map[imap.UID]*mail) (map[imap.UID]*plan, error) {
	var mu sync.Mutex
	plans := map[imap.UID]*plan{}
	items := &imap.FetchOptions{UID: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true}}
	a := &asking{conn: t.conn, box: b, folder: f, came: map[imap.UID]bool{}}
	a.ask = func(s *session, uids []imap.UID) error {
		return s.stream(uids, structureBatch, items, func(some []arrival) {
			a.arrived(some)
			mu.Lock()
			defer mu.Unlock()
			for _, d := range some {
				if d.structure != nil && byUID[d.uid] != nil {
					plans[d.uid] = planOf(byUID[d.uid], d.structure)
				}
			}
		}, nil)
	}
	return plans, a.all(ctx, uids)
}

// planOf chooses the parts to fetch of a mail. What our own people ask is not looked for.
func planOf(m *mail, structure imap.BodyStructure) *plan {
	p := &plan{}
	wantsText := m.WantsText() && (m.Reports() || m.verdict.direction != message.Outbound)
	text := false
	var wanted []string
	structure.Walk(func(path []int, bs imap.BodyStructure) bool {
		single, ok := bs.(*imap.BodyStructureSinglePart)
		if !ok || len(p.parts) >= 100 || len(path) > 20 {
			return !ok && len(path) <= 20
		}
		part := message.Part{
			Type: strings.ToLower(single.Type + "/" + single.Subtype), Charset: param(single.Params, "charset"),
			Method: strings.ToUpper(param(single.Params, "method")), Size: int(single.Size),
		}
		disposition := ""
		named := param(single.Params, "name") != ""
		if d := single.Disposition(); d != nil {
			disposition = strings.ToLower(d.Value)
			named = named || param(d.Params, "filename") != "" || param(d.Params, "filename*") != "" || param(d.Params, "filename*0*") != ""
		}
		part.Attached = disposition == "attachment" || named && disposition != "inline"
		at := partName(path)
		switch {
		case part.Calendar(), part.Report():
			wanted = append(wanted, at)
		case part.Returned():
			if at += ".HEADER"; strings.HasSuffix(part.Type, "headers") || part.Type == "text/rfc822" {
				at = partName(path)
			}
			if m.Reports() {
				wanted = append(wanted, at)
			}
		case (part.Type == "text/plain" || part.Type == "text/html" && !text) && !part.Attached && !text && wantsText:
			wanted = append(wanted, at)
			text = part.Type == "text/plain"
		}
		p.parts = append(p.parts, part)
		p.encoding = append(p.encoding, single.Encoding)
		p.place = append(p.place, partName(path))
		return false // what lies inside an attached mail says nothing of this one
	})
	p.sections = strings.Join(wanted[:min(len(wanted), 6)], " ")
	return p
}

func param(params map[string]string, name string) string {
	for k, v := range params {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// parts fetches the same sections of several mails and fills their plans.
func (t *turn) parts(ctx context.Context, b *box, f *folder, sections string, uids []imap.UID, plans map[imap.UID]*plan) error {
	if sections == "" {
		return nil
	}
	items := &imap.FetchOptions{UID: true}
	for _, at := range strings.Fields(sections) {
		section := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: maxPart}}
		if at, ok := strings.CutSuffix(at, ".HEADER"); ok {
			section.Specifier, section.Part = imap.PartSpecifierHeader, partPath(at)
		} else {
			section.Part = partPath(at)
		}
		items.BodySection = append(items.BodySection, section)
	}
	a := &asking{conn: t.conn, box: b, folder: f, came: map[imap.UID]bool{}}
	a.ask = func(s *session, uids []imap.UID) error {
		return s.stream(uids, partBatch, items, func(some []arrival) {
			a.arrived(some)
			for _, d := range some {
				p := plans[d.uid]
				if p == nil {
					continue
				}
				for _, s := range d.sections {
					if i := slices.Index(p.place, s.part); i >= 0 {
						p.parts[i].Content = message.Decode(p.encoding[i], slices.Clone(s.body))
					}
				}
			}
		}, nil)
	}
	return a.all(ctx, uids)
}

func partPath(name string) []int {
	var path []int
	n := 0
	for _, c := range name + "." {
		if c == '.' {
			path, n = append(path, n), 0
			continue
		}
		n = n*10 + int(c-'0')
	}
	return path
}
