package imap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	imap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"energyd/connectors"
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
	base    string // its subject, without what answers put before it
	record  *connectors.Record
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
		return fault.New(fault.Conflict, "", "the folder "+f.shown()+" was changed while it was read", "nothing: the next reading goes on", nil)
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

func (a *asking) arrived(some []arrival) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range some {
		a.came[some[i].uid] = true
	}
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
	case len(left) == 0:
		return nil
	}
	if left, err = a.there(ctx, left); err != nil {
		return err
	}
	if len(uids) == 1 { // it was asked for alone
		a.lost = append(a.lost, left...)
		return nil
	}
	for _, uid := range left {
		if err := a.all(ctx, []imap.UID{uid}); err != nil {
			return err
		}
	}
	return nil
}

// there gives those of mails that did not come that are still in the folder.
func (a *asking) there(ctx context.Context, uids []imap.UID) (left []imap.UID, err error) {
	err = a.with(ctx, a.box, func(s *session) error {
		if err := s.again(a.folder); err != nil {
			return err
		}
		found, err := s.search(uint32(uids[0]), uint32(uids[len(uids)-1]), time.Time{})
		left = slices.DeleteFunc(slices.Clone(uids), func(u imap.UID) bool {
			_, there := slices.BinarySearch(found, u)
			return !there
		})
		return err
	})
	return left, err
}

const (
	headerBatch = 500         // mails of one FETCH
	inFlight    = 4           // FETCHes at a time: while one comes, the next are on their way
	maxLiteral  = 16 << 20    // bytes; what is announced larger is refused [48]
	maxSection  = 256<<10 + 1 // bytes that are looked at of one; the last tells the reader of mails that there was more [47]
	maxKept     = 32 << 10    // bytes of a header that is kept for a look at the body; whoever writes larger ones gets none
	handful     = 64          // mails that are handed on at once,
	handfulSize = 64 << 10    // or bytes
)

var headerItems = &imap.FetchOptions{
	UID: true, InternalDate: true,
	BodySection: []*imap.FetchItemBodySection{{Specifier: imap.PartSpecifierHeader, HeaderFields: message.Fields, Peek: true}},
}

// headers reads the headers of mails, in the order of uids. lost are those that
// cannot be read. While the server sends, other goroutines read what came. soon
// are asked for beforehand.
func (t *turn) headers(ctx context.Context, f *folder, uids, soon []imap.UID) (mails []*mail, lost []imap.UID, err error) {
	read := make([]*mail, len(uids)) // as uids, each written once
	came := make(chan []arrival, 2*runtime.GOMAXPROCS(0))
	var readers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		readers.Go(func() {
			r := t.readers.Get().(*message.Reader)
			defer t.readers.Put(r)
			for some := range came {
				for i := range some {
					if at, asked := slices.BinarySearch(uids, some[i].uid); asked {
						read[at] = t.open(r, f, &some[i])
					}
				}
			}
		})
	}
	a := &asking{conn: t.conn, box: t.box, folder: f, came: make(map[imap.UID]bool, len(uids))}
	look := func(some []arrival) {
		// Of a mail that vanished meanwhile, servers give a header without even its last line.
		some = slices.DeleteFunc(some, func(a arrival) bool { return len(a.body) == 0 })
		a.arrived(some)
		came <- some
	}
	a.ask = func(s *session, uids []imap.UID) error {
		next := soon
		soon = nil // once
		early := func() {
			if len(next) > 0 {
				s.askEarly(f, next)
			}
		}
		under, err := s.underWay(f)
		if err != nil {
			return err
		}
		if under != nil {
			early()
			if err := under.adopt(look); err != nil {
				return err
			}
			uids, next = a.missing(uids), nil
		}
		return s.stream(uids, headerBatch, headerItems, look, early)
	}
	err = a.all(ctx, uids)
	close(came)
	readers.Wait()
	if err != nil {
		return nil, nil, err
	}
	return slices.DeleteFunc(read, func(m *mail) bool { return m == nil }), a.lost, nil
}

// open reads a header. Where the body may tell more it is kept, else the mail becomes a record at once.
func (t *turn) open(r *message.Reader, f *folder, a *arrival) *mail {
	m := &mail{Message: r.ReadHeader(a.body), uid: a.uid, arrived: a.date}
	m.verdict = t.judge(m)
	switch {
	case m.verdict.look && len(a.body) <= maxKept:
		m.header = slices.Clone(a.body)
	case !m.verdict.look && m.verdict.drop == "":
		m.record = t.record(f, m)
	}
	return m
}

// arrival is what came of one mail.
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

// stream fetches mails in batches, some at a time, each read by a goroutine of
// its own: the server may answer the second before the first is through. look
// gets what came by handfuls, from several goroutines. asked, unless nil, is called
// when all batches are asked for and there is room for more.
func (s *session) stream(uids []imap.UID, batch int, items *imap.FetchOptions, look func([]arrival), asked func()) error {
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
	if asked != nil {
		places <- struct{}{}
		mu.Lock()
		failed := first != nil
		mu.Unlock()
		if !failed {
			asked()
		}
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
func (s *session) drain(fetch *imapclient.FetchCommand, expected int, look func([]arrival)) error {
	var some []arrival
	var buffer []byte // holds what came of them
	hand := func() {
		if len(some) > 0 {
			look(some)
			some, buffer = nil, nil
		}
	}
	var tooLarge bool
	for data := fetch.Next(); data != nil; data = fetch.Next() {
		if some == nil {
			some, buffer = make([]arrival, 0, handful), make([]byte, 0, handfulSize)
		}
		a := arrival{}
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
				if buffer, err = appendAll(buffer, io.LimitReader(item.Literal, maxSection)); err != nil {
					whole = false
				}
				a.body = buffer[from:len(buffer):len(buffer)]
				if int64(len(a.body)) < min(item.Literal.Size(), maxSection) { // cut: the library takes its end for the literal's
					whole = false
					// It reads on meanwhile, where Next reads the rest of the literal: one after the other.
					s.wire.kill()
					<-s.client.Closed()
				}
				a.sections = append(a.sections, section{partName(item.Section.Part), item.Section.Specifier, a.body})
			}
		}
		if whole && a.uid != 0 && came >= expected {
			some = append(some, a)
		}
		if len(some) == handful || len(buffer) > handfulSize/2 {
			hand()
		}
	}
	hand()
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
