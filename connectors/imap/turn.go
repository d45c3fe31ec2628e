package imap

import (
	"context"
	"fmt"

	imap "github.com/emersion/go-imap/v2"

	"energyd/connectors"
)

// maxRead is how many mails one Read takes at most. It bounds memory.
const maxRead = 2000

// list are the mails of a folder that are still to be read, so that a reading asks for them once.
type list struct {
	folder   string
	validity uint32
	next     uint32 // the first mail that is not read yet
	goal     uint32
	uids     []imap.UID
}

func (l *list) of(p *place) bool {
	return l.uids != nil && l.folder == p.Folder && l.validity == p.Validity && l.next == p.Next && l.goal == p.Goal
}

// next reads as many of the listed mails as there is room for, and moves p behind them.
func (t *turn) next(ctx context.Context, p *place, f *folder, known *list) error {
	uids, later := known.uids, []imap.UID(nil)
	if len(uids) > t.quota {
		uids, later = uids[:t.quota], uids[t.quota:]
	}
	if err := t.mails(ctx, f, uids, later[:min(len(later), t.quota)]); err != nil {
		return err
	}
	*known = list{}
	t.quota -= len(uids)
	switch last := len(uids) - 1; {
	case later != nil:
		p.Next = uint32(uids[last]) + 1
		*known = list{p.Folder, p.Validity, p.Next, p.Goal, later}
	case p.Goal == farthest && last >= 0:
		p.Next, p.Goal = uint32(uids[last])+1, 0
	case p.Goal == farthest:
		p.Goal = 0
	default:
		p.Next, p.Goal = p.Goal, 0
	}
	return nil
}

// mails reads mails of a folder and makes records of them. soon are those of the next Read.
func (t *turn) mails(ctx context.Context, f *folder, uids, soon []imap.UID) error {
	if len(uids) == 0 {
		return nil
	}
	mails, lost, err := t.headers(ctx, f, uids, soon)
	if err != nil {
		return err
	}
	if err := t.bodies(ctx, t.box, f, mails); err != nil {
		return err
	}
	for i, m := range mails {
		t.take(f, m)
		mails[i] = nil // the record is all that stays
	}
	for _, uid := range lost {
		key := fmt.Sprintf("%s/%s/%d/%d", t.box.User, f.shown(), f.validity, uid)
		t.rejects = append(t.rejects, connectors.Reject{
			Key: key, Origin: key, Code: "unreadable",
			Reason: "the server's answer for this mail cannot be read, even when it is asked for alone; look at it in a mail program",
		})
	}
	return nil
}
