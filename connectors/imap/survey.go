package imap

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	imap "github.com/emersion/go-imap/v2"

	"energyd/connectors"
)

var _ connectors.Surveyor = (*conn)(nil)

// Items lists the folders that are read when a source names none, and the
// others, with how many mails they hold in all mailboxes together. No mail is looked at.
func (c *conn) Items(ctx context.Context) ([]connectors.Item, error) {
	var t troubles
	var mu sync.Mutex
	byName := map[string]*connectors.Item{}
	c.each(c.boxes, func(b *box) {
		var folders []folder
		counts := map[string]int64{}
		look := func(s *session) (err error) {
			if folders, err = s.list(ctx); err != nil {
				return err
			}
			for _, f := range folders {
				d, err := s.client.Status(f.name, &imap.StatusOptions{NumMessages: true}).Wait()
				if isAnswer(err) { // gone, or not ours to look at
					continue
				}
				if err != nil {
					return err
				}
				if d.NumMessages != nil {
					counts[f.name] = int64(*d.NumMessages)
				}
			}
			return nil
		}
		err := c.with(ctx, b, look)
		if errors.Is(err, errUnreadable) && b.badNames.CompareAndSwap(false, true) {
			err = c.with(ctx, b, look)
		}
		t.add(b, err)
		usual := choose(folders, b.Folders, nil)
		mu.Lock()
		defer mu.Unlock()
		for _, f := range folders {
			n, told := counts[f.name]
			if !told {
				continue
			}
			item := byName[f.name]
			if item == nil {
				item = &connectors.Item{Name: f.name, Label: f.use, Kind: "folder", Mapping: "mappings/mail.yaml"}
				byName[f.name] = item
			}
			item.Rows += n
			if !slices.ContainsFunc(usual, func(g folder) bool { return g.name == f.name }) {
				item.Label = c.env.Say("%s: not read unless a source names it", "%s: ソースに書いたときだけ読む", cmp.Or(f.use, c.env.Say("other", "その他")))
			}
		}
	})
	if err := t.err(c.env.Name, len(c.boxes)); err != nil {
		return nil, err
	}
	items := []connectors.Item{}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		items = append(items, *byName[name])
	}
	return items, nil
}

// Sample reads no mail: the columns of mails are always the same.
func (c *conn) Sample(_ context.Context, item connectors.Item, _ int) (connectors.Sample, error) {
	out := connectors.Sample{Item: item, How: c.env.Say("mails are not looked at: their columns are always the same", "列は常に同じなので、メールは見ていない"),
		Notes: []string{c.env.Say("energyd pull --dry-run shows what would be kept of mails; %d mailboxes were asked", "メールの何が保存されるかは energyd pull --dry-run で分かる。%d個のメールボックスに尋ねた", len(c.boxes))}}
	for _, name := range columns.Names {
		out.Columns = append(out.Columns, connectors.SampleColumn{Name: name, Type: "mail"})
	}
	return out, nil
}

// Stream gives the folder's source.
func (c *conn) Stream(item connectors.Item, _ connectors.Reading) []connectors.Option {
	return []connectors.Option{{Name: "folders", Value: []string{item.Name}, Reason: c.env.Say("without it all folders but drafts, trash and junk are read", "なければ下書き・ごみ箱・迷惑メール以外をすべて読む")}}
}
