package imap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	imap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"energyd/connectors/imap/message"
	"energyd/internal/fault"
)

// mail is one mail as it was read.
type mail struct {
	*message.Message
	uid     imap.UID
	arrived time.Time // INTERNALDATE
	header  []byte    // kept of mails whose body may tell more
	verdict verdict
}

func isAnswer(err error) bool {
	var answer *imap.Error
	return errors.As(err, &answer) && answer.Type != imap.StatusResponseTypeBye
}

// enter makes f the examined folder; false when it is gone. It sets validity and next of f.
func (s *session) enter(f *folder) (there bool, err error) {
	if s.folder == f.name {
		return true, nil
	}
	return s.examine(f)
}

// again enters a folder that was entered before, perhaps on a connection that was lost.
func (s *session) again(f *folder) error {
	now := folder{name: f.name, validity: f.validity}
	there, err := s.enter(&now)
	switch {
	case err != nil:
		return err
	case !there || now.validity != f.validity:
		return fault.New(fault.Conflict, "", "the folder "+f.name+" was changed while it was read", "nothing: the next reading goes on", nil)
	}
	return nil
}

// search gives the UIDs from first to last that exist, in their order; since is the server's day, zero for all.
func (s *session) search(first, last uint32, since time.Time) ([]imap.UID, error) {
	criteria := &imap.SearchCriteria{UID: []imap.UIDSet{{imap.UIDRange{Start: imap.UID(first), Stop: imap.UID(last)}}}}
	if !since.IsZero() {
		criteria.Since = since.AddDate(0, 0, -1) // the server's day may begin later than ours
	}
	var options *imap.SearchOptions
	if s.caps.Has(imap.CapESearch) {
		options = &imap.SearchOptions{ReturnAll: true}
	}
	found, err := s.client.UIDSearch(criteria, options).Wait()
	if err != nil {
		return nil, err
	}
	uids := found.AllUIDs()
	// A server may repeat the last mail whatever was asked for [22].
	uids = slices.DeleteFunc(uids, func(u imap.UID) bool { return uint32(u) < first || uint32(u) > last })
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

func uidText(uid imap.UID) string { return strconv.FormatUint(uint64(uid), 10) }

func set(uids []imap.UID) imap.UIDSet {
	var ranges imap.UIDSet
	for _, u := range uids {
		if n := len(ranges); n > 0 && ranges[n-1].Stop+1 == u {
			ranges[n-1].Stop = u
			continue
		}
		ranges = append(ranges, imap.UIDRange{Start: u, Stop: u})
	}
	return ranges
}

// asking asks for mails until each has come or is known to be unreadable: what
// an answer lacks is asked for again one by one [36], and an answer that the library
// cannot parse is halved until the one mail is found that spoils it [37].
type asking struct {
	*conn
	box    *box
	folder *folder
	ask    func(s *session, uids []imap.UID) error // calls came for each
	mu     sync.Mutex
	came   map[imap.UID]bool
	lost   []imap.UID // did not come even when asked for alone
}

func (a *asking) arrived(uid imap.UID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.came[uid] = true
}

func (a *asking) missing(uids []imap.UID) []imap.UID {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(uids), func(u imap.UID) bool { return a.came[u] })
}

func (a *asking) all(ctx context.Context, uids []imap.UID) error {
	err := a.with(ctx, a.box, func(s *session) error {
		if err := s.again(a.folder); err != nil {
			return err
		}
		return a.ask(s, a.missing(uids))
	})
	left := a.missing(uids)
	switch {
	case errors.Is(err, errUnreadable) && len(left) == 1:
		a.lost = append(a.lost, left[0])
		return nil
	case errors.Is(err, errUnreadable) && len(left) > 1:
		half := len(left) / 2
		if err := a.all(ctx, left[:half]); err != nil {
			return err
		}
		return a.all(ctx, left[half:])
	case err != nil && !errors.Is(err, errUnreadable):
		return err
	case len(left) == 1 && len(uids) == 1:
		return a.absent(ctx, left[0])
	}
	for _, uid := range left {
		if err := a.all(ctx, []imap.UID{uid}); err != nil {
			return err
		}
	}
	return nil
}

// absent looks whether a mail that did not come is still there.
func (a *asking) absent(ctx context.Context, uid imap.UID) error {
	return a.with(ctx, a.box, func(s *session) error {
		if err := s.again(a.folder); err != nil {
			return err
		}
		found, err := s.search(uint32(uid), uint32(uid), time.Time{})
		if err == nil && len(found) > 0 {
			a.lost = append(a.lost, uid)
		}
		return err
	})
}

const (
	headerBatch = 1000     // mails of one FETCH
	inFlight    = 2        // FETCHes at a time
	maxLiteral  = 16 << 20 // bytes; what is announced larger is refused [48]
	maxHeader   = 256 << 10
)

var headerItems = &imap.FetchOptions{
	UID: true, InternalDate: true,
	BodySection: []*imap.FetchItemBodySection{{Specifier: imap.PartSpecifierHeader, HeaderFields: message.Fields, Peek: true}},
}

// headers reads the headers of mails, in the order of uids. lost are those that cannot be read.
func (c *conn) headers(ctx context.Context, b *box, f *folder, uids []imap.UID) (mails []*mail, lost []imap.UID, err error) {
	read := make(map[imap.UID]*mail, len(uids))
	a := &asking{conn: c, box: b, folder: f, came: make(map[imap.UID]bool, len(uids))}
	a.ask = func(s *session, uids []imap.UID) error {
		return s.stream(uids, headerBatch, headerItems, func(d *arrival) {
			m := &mail{Message: message.ReadHeader(d.body), uid: d.uid, arrived: d.date}
			if m.Wants() {
				m.header = slices.Clone(d.body)
			}
			a.arrived(d.uid)
			a.mu.Lock()
			defer a.mu.Unlock()
			read[d.uid] = m
		})
	}
	if err := a.all(ctx, uids); err != nil {
		return nil, nil, err
	}
	for _, uid := range uids {
		if m := read[uid]; m != nil {
			mails = append(mails, m)
		}
	}
	return mails, a.lost, nil
}

// arrival is what came of one mail; body is valid only while it is looked at.
type arrival struct {
	uid       imap.UID
	date      time.Time
	body      []byte // of the one section asked for
	structure imap.BodyStructure
	sections  []section
}

// section is the content of a part.
type section struct {
	part      string // "1.2"
	specifier imap.PartSpecifier
	body      []byte
}

// stream fetches mails in batches, two at a time, each read by a goroutine of
// its own: the server may answer the second before the first is through.
func (s *session) stream(uids []imap.UID, batch int, items *imap.FetchOptions, look func(*arrival)) error {
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	places := make(chan struct{}, inFlight)
	for chunk := range slices.Chunk(uids, batch) {
		places <- struct{}{}
		mu.Lock()
		failed := first != nil
		mu.Unlock()
		if failed {
			break
		}
		fetch := s.client.Fetch(set(chunk), items)
		wait.Go(func() {
			defer func() { <-places }()
			if err := s.drain(fetch, expected(items), look); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if first == nil || errors.Is(err, errUnreadable) {
					first = err
				}
			}
		})
	}
	wait.Wait()
	return first
}

// expected is how many answers besides UID and date make a mail whole.
func expected(items *imap.FetchOptions) int {
	n := len(items.BodySection)
	if items.BodyStructure != nil {
		n++
	}
	return n
}

// drain reads one FETCH to its end. Mails that come with less than expected do
// not count: at a cut, the library gives out what it had.
func (s *session) drain(fetch *imapclient.FetchCommand, expected int, look func(*arrival)) error {
	buffer := make([]byte, 0, 8<<10)
	var tooLarge bool
	for data := fetch.Next(); data != nil; data = fetch.Next() {
		a := arrival{}
		buffer = buffer[:0]
		whole, came := true, 0
		for item := data.Next(); item != nil; item = data.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				a.uid = item.UID
			case imapclient.FetchItemDataInternalDate:
				a.date = item.Time.UTC()
			case imapclient.FetchItemDataBodyStructure:
				a.structure = item.BodyStructure
				came++
			case imapclient.FetchItemDataBodySection:
				came++
				if item.Literal == nil {
					continue
				}
				if item.Literal.Size() > maxLiteral {
					tooLarge, whole = true, false
					s.wire.kill()
					continue
				}
				from := len(buffer)
				var err error
				if buffer, err = appendAll(buffer, io.LimitReader(item.Literal, maxHeader)); err != nil {
					whole = false
				}
				a.body = buffer[from:]
				if int64(len(a.body)) < min(item.Literal.Size(), maxHeader) { // cut: the library takes its end for the literal's
					whole = false
				}
				a.sections = append(a.sections, section{partName(item.Section.Part), item.Section.Specifier, a.body})
			}
		}
		if whole && a.uid != 0 && came >= expected {
			look(&a)
		}
	}
	err := fetch.Close()
	var answer *imap.Error
	switch {
	case tooLarge:
		return errUnreadable
	case errors.As(err, &answer) && isAnswer(err) && !throttles(answer):
		return nil // what did not come is asked for again by itself
	}
	return err
}

// appendAll reads r to its end behind b.
func appendAll(b []byte, r io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

func partName(path []int) string {
	name := ""
	for i, n := range path {
		if i > 0 {
			name += "."
		}
		name += fmt.Sprint(n)
	}
	return name
}
