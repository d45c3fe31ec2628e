package store

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"energyd/engine"
)

// An activity block holds activities of neighbouring clusters, sorted by
// compareActs. Its body, after seal's frame (see block.go), is made of varints:
//
//	text      length, bytes: the distinct strings, then the ids in the order of the rows
//	strings   count, length of each
//	shapes    count, each: source, kind, mapping (strings), revision, status, direction, flags, [product, segment (strings)]
//	shares    count, each a list: count, then id (string), weight (reversed float64 bits)
//	people    count, each a list: count, then contact, title, rank (strings), keyman | role<<1
//	cues      count, each a list: count, then strings
//	units     of times and versions, in µs: the largest of 60 s, 1 s, 1 ms, 1 µs that divides all
//	rows      count, each: shape<<1 | new account, [account], length of id, [time], [date], version,
//	          deals, reps, people, cues, [link: message, thread, answers (strings)],
//	          [same: call, event, start, record (strings)]
//
// The account is that of the row before unless it is told. Time, date and version are zigzag differences from the row before. Lists are
// numbered from 1; 0 is the empty list. Texts are not copied when a block is
// decoded, and equal lists share one slice: do not write into them.
const activityVersion = 1

// Flags of a shape.
const (
	flagDeleted = 1 << iota
	flagAt      // the row has a time
	flagDate    // the row has a date
	flagNoDate  // the date is engine.NoDate; with neither flag it is 0
	flagLink    // the row has a link
	flagSame    // the row names what others may name
	flagAbout   // the shape has a product and a segment
)

// act is an activity on its way through a fold.
type act struct {
	*engine.Activity
	cluster uint64 // where it is kept
	arrival int32  // index of the arrival that brought it, or stands, settled, mark
}

// Values of act.arrival that are no index.
const (
	stands  = -1 // it is what the store held
	settled = -2 // it stands, as fold.settle found
	mark    = -3 // no activity: this cluster has to be looked at
)

// keyHash is where the activity's identity is kept. A collision does no harm.
func keyHash(source, id string) uint64 {
	return xxhash.Sum64String(id) ^ bits.RotateLeft64(xxhash.Sum64String(source), 21)
}

// clusterOf is the cluster of an activity: its account's, or, without an
// account (a deletion tells only the key), one of its own.
func clusterOf(a *engine.Activity) uint64 {
	if a.Account == "" {
		return keyHash(a.Source, a.ID)
	}
	return xxhash.Sum64String(a.Account)
}

// moment is the activity's place in time, in µs.
func moment(a *engine.Activity) int64 {
	if a.At.IsZero() {
		return int64(a.Date) * 86_400_000_000
	}
	return a.At.UnixMicro()
}

// compareActs orders activities as blocks hold them: by cluster, account, time and identity.
func compareActs(x, y act) int {
	if c := cmp.Compare(x.cluster, y.cluster); c != 0 {
		return c
	}
	if c := strings.Compare(x.Account, y.Account); c != 0 {
		return c
	}
	if c := cmp.Compare(moment(x.Activity), moment(y.Activity)); c != 0 {
		return c
	}
	return compareKeys(x, y)
}

func compareKeys(x, y act) int {
	if c := strings.Compare(x.ID, y.ID); c != 0 {
		return c
	}
	return strings.Compare(x.Source, y.Source)
}

// encoder packs activity blocks; its buffers are used again.
type encoder struct {
	strings, shapes, shares, people, cues interner
	texts, shareLists, peopleLists        memo
	lastShapes                            [16]numbered
	ids, rows, item, body                 []byte
}

type numbered struct {
	shape  shape
	number uint64
	set    bool
}

// encode gives the sealed block of acts, which are sorted by compareActs.
func (e *encoder) encode(acts []act) []byte {
	for _, t := range []*interner{&e.strings, &e.shapes, &e.shares, &e.people, &e.cues} {
		t.reset()
	}
	e.texts, e.shareLists, e.peopleLists = memo{}, memo{}, memo{}
	clear(e.lastShapes[:])
	e.ids, e.rows = e.ids[:0], e.rows[:0]
	timeUnit, versionUnit := units(acts)
	var time, date, version int64
	account := ""
	for _, a := range acts {
		shape := e.shapeNumber(a.Activity) << 1
		if a.Account == account {
			e.rows = binary.AppendUvarint(e.rows, shape)
		} else {
			account = a.Account
			e.rows = binary.AppendUvarint(e.rows, shape|1)
			e.rows = binary.AppendUvarint(e.rows, e.stringOf(account))
		}
		e.rows = binary.AppendUvarint(e.rows, uint64(len(a.ID)))
		e.ids = append(e.ids, a.ID...)
		if !a.At.IsZero() {
			t := a.At.UnixMicro() / timeUnit
			e.rows = binary.AppendVarint(e.rows, t-time)
			time = t
		}
		if a.Date != 0 && a.Date != engine.NoDate {
			e.rows = binary.AppendVarint(e.rows, int64(a.Date)-date)
			date = int64(a.Date)
		}
		v := a.Version / versionUnit
		e.rows = binary.AppendVarint(e.rows, v-version) // wraps around, and back when decoded
		version = v
		e.rows = binary.AppendUvarint(e.rows, e.shareList(a.Deals))
		e.rows = binary.AppendUvarint(e.rows, e.shareList(a.Reps))
		e.rows = binary.AppendUvarint(e.rows, e.peopleList(a.People))
		e.rows = binary.AppendUvarint(e.rows, e.cueList(a.Cues))
		if a.Link != nil {
			for _, id := range [...]string{a.Link.Message, a.Link.Thread, a.Link.Answers} {
				e.rows = binary.AppendUvarint(e.rows, e.stringOf(id))
			}
		}
		if a.Same != nil {
			for _, id := range [...]string{a.Same.Call, a.Same.Event, a.Same.Start, a.Same.Record} {
				e.rows = binary.AppendUvarint(e.rows, e.stringOf(id))
			}
		}
	}
	b := append(e.body[:0], make([]byte, sealSpace)...)
	b = binary.AppendUvarint(b, uint64(len(e.strings.data)+len(e.ids)))
	b = append(append(b, e.strings.data...), e.ids...)
	b = binary.AppendUvarint(b, uint64(len(e.strings.ends)))
	from := uint32(0)
	for _, end := range e.strings.ends {
		b = binary.AppendUvarint(b, uint64(end-from))
		from = end
	}
	for _, t := range []*interner{&e.shapes, &e.shares, &e.people, &e.cues} {
		b = binary.AppendUvarint(b, uint64(len(t.ends)))
		b = append(b, t.data...)
	}
	b = binary.AppendUvarint(b, uint64(timeUnit))
	b = binary.AppendUvarint(b, uint64(versionUnit))
	b = binary.AppendUvarint(b, uint64(len(acts)))
	b = append(b, e.rows...)
	e.body = b
	return seal(activityVersion, b)
}

// units gives the largest units, in µs, of which all times and all versions are multiples.
func units(acts []act) (times, versions int64) {
	steps := [...]int64{60_000_000, 1_000_000, 1_000, 1}
	t, v := 0, 0
	for _, a := range acts {
		if !a.At.IsZero() {
			for at := a.At.UnixMicro(); at%steps[t] != 0; {
				t++
			}
		}
		for a.Version%steps[v] != 0 {
			v++
		}
	}
	return steps[t], steps[v]
}

func (e *encoder) stringOf(s string) uint64 {
	return e.texts.number(unsafe.Pointer(unsafe.StringData(s)), len(s), func() uint64 {
		return e.strings.number(unsafe.Slice(unsafe.StringData(s), len(s))) // which it only reads and copies
	})
}

func (e *encoder) appendString(s string) { e.item = binary.AppendUvarint(e.item, e.stringOf(s)) }

// shape is what many activities have in common.
type shape struct {
	source, kind, mapping, product, segment string
	revision                                uint32
	status, direction, flags                byte
}

func shapeOf(a *engine.Activity) shape {
	flags := byte(0)
	if a.Deleted {
		flags |= flagDeleted
	}
	if !a.At.IsZero() {
		flags |= flagAt
	}
	switch a.Date {
	case 0:
	case engine.NoDate:
		flags |= flagNoDate
	default:
		flags |= flagDate
	}
	if a.Link != nil {
		flags |= flagLink
	}
	if a.Same != nil {
		flags |= flagSame
	}
	if a.Product != "" || a.Segment != "" {
		flags |= flagAbout
	}
	return shape{a.Source, a.Kind, a.Mapping, a.Product, a.Segment, a.Revision, byte(a.Status), byte(a.Direction), flags}
}

// shapeNumber gives the number of an activity's shape. The last ones are remembered: hardly any block has many.
func (e *encoder) shapeNumber(a *engine.Activity) uint64 {
	s := shapeOf(a)
	last := &e.lastShapes[(len(s.kind)+7*int(s.status)+3*int(s.direction)+int(s.flags))%len(e.lastShapes)]
	if last.set && last.shape == s {
		return last.number
	}
	e.item = e.item[:0]
	e.appendString(s.source)
	e.appendString(s.kind)
	e.appendString(s.mapping)
	e.item = binary.AppendUvarint(e.item, uint64(s.revision))
	e.item = append(e.item, s.status, s.direction, s.flags)
	if s.flags&flagAbout != 0 {
		e.appendString(s.product)
		e.appendString(s.segment)
	}
	*last = numbered{s, e.shapes.number(e.item), true}
	return last.number
}

func (e *encoder) shareList(list []engine.Share) uint64 {
	if len(list) == 0 {
		return 0
	}
	return e.shareLists.number(unsafe.Pointer(unsafe.SliceData(list)), len(list), func() uint64 {
		e.item = binary.AppendUvarint(e.item[:0], uint64(len(list)))
		for _, s := range list {
			e.appendString(s.ID)
			e.item = binary.AppendUvarint(e.item, bits.Reverse64(math.Float64bits(s.Weight)))
		}
		return e.shares.number(e.item) + 1
	})
}

func (e *encoder) peopleList(list []engine.Participant) uint64 {
	if len(list) == 0 {
		return 0
	}
	return e.peopleLists.number(unsafe.Pointer(unsafe.SliceData(list)), len(list), func() uint64 {
		e.item = binary.AppendUvarint(e.item[:0], uint64(len(list)))
		for _, p := range list {
			e.appendString(p.Contact)
			e.appendString(p.Title)
			e.appendString(p.Rank)
			role := uint64(p.Role) << 1
			if p.Keyman {
				role |= 1
			}
			e.item = binary.AppendUvarint(e.item, role)
		}
		return e.people.number(e.item) + 1
	})
}

func (e *encoder) cueList(list []string) uint64 {
	if len(list) == 0 {
		return 0
	}
	e.item = binary.AppendUvarint(e.item[:0], uint64(len(list)))
	for _, c := range list {
		e.appendString(c)
	}
	return e.cues.number(e.item) + 1
}

// decoder unpacks activity blocks. What one decode returned is valid until
// the next: take a new decoder to keep it.
type decoder struct {
	strings []string
	shapes  []engine.Activity
	shares  [][]engine.Share
	people  [][]engine.Participant
	cues    [][]string
	list    []engine.Activity
	acts    []act

	shareItems  []engine.Share
	peopleItems []engine.Participant
	cueItems    []string
	links       []engine.Link
	sames       []engine.Same
}

// decode gives the activities of a sealed block, as not yet arrived from anywhere.
func (d *decoder) decode(sealed []byte) ([]act, error) {
	body, err := unseal(activityVersion, sealed)
	if err != nil {
		return nil, err
	}
	return d.body(body)
}

func (d *decoder) body(body []byte) ([]act, error) {
	r := reader{b: body}
	text := r.text()
	at := 0
	texts := r.count(1)
	d.strings = slices.Grow(d.strings[:0], texts)
	for range texts {
		n := r.length(len(text) - at)
		d.strings = append(d.strings, text[at:at+n])
		at += n
	}
	text = text[at:]
	d.shapes = d.shapes[:0]
	for range r.count(7) {
		a := engine.Activity{Source: r.pick(d.strings), Kind: r.pick(d.strings), Mapping: r.pick(d.strings), Revision: uint32(r.uvarint())}
		a.Status, a.Direction = engine.Status(r.byte()), engine.Direction(r.byte())
		flags := r.byte()
		a.Deleted = flags&flagDeleted != 0
		if flags&flagAbout != 0 {
			a.Product, a.Segment = r.pick(d.strings), r.pick(d.strings)
		}
		// Held here until a row of this shape replaces it: which fields the row has.
		a.Version = int64(flags)
		d.shapes = append(d.shapes, a)
	}
	d.lists(&r)
	timeUnit, versionUnit := int64(r.uvarint()), int64(r.uvarint())
	n := r.count(7)
	if cap(d.acts) < n {
		d.acts, d.list = make([]act, n), make([]engine.Activity, n)
	}
	d.acts, d.list = d.acts[:n], d.list[:n]
	var moment, date, version int64
	var cluster uint64
	account := ""
	d.links, d.sames = d.links[:0], d.sames[:0]
	for i := range d.list {
		a := &d.list[i]
		shape := r.uvarint()
		if shape>>1 >= uint64(len(d.shapes)) {
			return nil, errCorrupt
		}
		*a = d.shapes[shape>>1]
		flags := a.Version
		fresh := i == 0 || account == ""
		if shape&1 != 0 {
			account, fresh = r.pick(d.strings), true
		}
		a.Account = account
		size := r.length(len(text))
		a.ID, text = text[:size], text[size:]
		if flags&flagAt != 0 {
			moment += r.varint()
			a.At = time.UnixMicro(moment * timeUnit).UTC()
		}
		switch {
		case flags&flagDate != 0:
			date += r.varint()
			a.Date = engine.Date(date)
		case flags&flagNoDate != 0:
			a.Date = engine.NoDate
		}
		version += r.varint()
		a.Version = version * versionUnit
		a.Deals, a.Reps = pickList(&r, d.shares), pickList(&r, d.shares)
		a.People, a.Cues = pickList(&r, d.people), pickList(&r, d.cues)
		if flags&flagLink != 0 {
			d.links = append(d.links, engine.Link{Message: r.pick(d.strings), Thread: r.pick(d.strings), Answers: r.pick(d.strings)})
			a.Link = &d.links[len(d.links)-1] // what was there before append grew the list stays where it is
		}
		if flags&flagSame != 0 {
			d.sames = append(d.sames, engine.Same{Call: r.pick(d.strings), Event: r.pick(d.strings), Start: r.pick(d.strings), Record: r.pick(d.strings)})
			a.Same = &d.sames[len(d.sames)-1]
		}
		if fresh {
			cluster = clusterOf(a)
		}
		d.acts[i] = act{a, cluster, stands}
	}
	if r.bad || len(r.b) != r.i || len(text) != 0 {
		return nil, errCorrupt
	}
	return d.acts, nil
}

func (d *decoder) lists(r *reader) {
	n := r.count(2)
	d.shares, d.shareItems = slices.Grow(d.shares[:0], n), slices.Grow(d.shareItems[:0], n) // most have one item
	for range n {
		from := len(d.shareItems)
		for range r.count(2) {
			id := r.pick(d.strings)
			d.shareItems = append(d.shareItems, engine.Share{ID: id, Weight: math.Float64frombits(bits.Reverse64(r.uvarint()))})
		}
		d.shares = append(d.shares, d.shareItems[from:len(d.shareItems):len(d.shareItems)])
	}
	n = r.count(2)
	d.people, d.peopleItems = slices.Grow(d.people[:0], n), slices.Grow(d.peopleItems[:0], n) // most have one item
	for range n {
		from := len(d.peopleItems)
		for range r.count(4) {
			p := engine.Participant{Contact: r.pick(d.strings), Title: r.pick(d.strings), Rank: r.pick(d.strings)}
			role := r.uvarint()
			p.Keyman, p.Role = role&1 != 0, engine.Role(role>>1)
			d.peopleItems = append(d.peopleItems, p)
		}
		d.people = append(d.people, d.peopleItems[from:len(d.peopleItems):len(d.peopleItems)])
	}
	n = r.count(2)
	d.cues, d.cueItems = slices.Grow(d.cues[:0], n), slices.Grow(d.cueItems[:0], n) // most have one item
	for range n {
		from := len(d.cueItems)
		for range r.count(1) {
			d.cueItems = append(d.cueItems, r.pick(d.strings))
		}
		d.cues = append(d.cues, d.cueItems[from:len(d.cueItems):len(d.cueItems)])
	}
}

// pickList reads the number of a list; 0 is the empty one.
func pickList[T any](r *reader, lists [][]T) []T {
	n := r.uvarint()
	if n == 0 {
		return nil
	}
	if n > uint64(len(lists)) {
		r.bad = true
		return nil
	}
	return lists[n-1]
}
