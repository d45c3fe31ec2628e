package pipeline

import (
	"context"
	"fmt"
	"maps"

	"energyd/connectors"
	"energyd/internal/config"
	"energyd/internal/store"
	"energyd/internal/telemetry"
)

// batchSize is how many records are read, mapped and saved at once. It bounds memory.
const batchSize = 20_000

func (p *Pipeline) pullSource(ctx context.Context, r *Report, src config.Source) (sr SourceReport, err error) {
	ctx, span := telemetry.Step(ctx, "read source", "source", src.Name, "connection", src.Connection)
	defer func() { span.End(err) }()
	sr = SourceReport{RunSource: store.RunSource{Source: src.Name}, Skips: map[string]int{}, Unfound: map[string]int{}}
	fail := func(err error) (SourceReport, error) { return sr, fmt.Errorf("%s: %w", src.Name, err) }
	conn, err := p.conn(ctx, src.Connection)
	if err != nil {
		return fail(err)
	}
	source, err := conn.Source(ctx, src.Stream)
	if err != nil {
		return fail(err)
	}
	defer source.Close()
	began := p.opt.Now()
	m := mapper{Mapping: p.mappings[src.Name], source: src.Name, run: r.Run, at: began, report: &sr, titles: map[string]int{}}
	reading, err := p.store.BeginReading(ctx, src.Name, m.Fingerprint(), began, src.Reread)
	if err != nil {
		return fail(err)
	}
	m.revision, sr.revision, sr.Reread = reading.Revision, reading.Revision, reading.Again
	cursor, err := p.store.Cursor(ctx, src.Name)
	if err != nil {
		return fail(err)
	}
	change, err := p.informed(ctx, &m)
	if err != nil {
		return fail(err)
	}
	if reading.Again == "" { // else they come again anyway
		if err := p.retry(ctx, &m, change); err != nil {
			return fail(err)
		}
	}
	ahead, cancel := context.WithCancel(ctx)
	batches := readAhead(ahead, source, cursor)
	defer func() { // the source is closed only after its last Read came back
		cancel()
		for range batches {
		}
	}()
	saved := 0
	defer func() { // for a list that people look at: what a killed run found is told by the next complete reading
		add(r.Titles, m.titles)
		unknown := maps.Clone(sr.Unfound)
		for title, n := range m.titles {
			unknown[titleWord+title] = n
		}
		if countErr := p.store.AddUnfound(context.WithoutCancel(ctx), src.Name, sr.revision, unknown); countErr != nil && err == nil {
			err = countErr
		}
		sr.Undecided = len(sr.asked)
		if askErr := p.store.AddAsked(context.WithoutCancel(ctx), src.Name, sr.revision, sr.asked); askErr != nil && err == nil {
			err = askErr
		}
	}()
	save := func(batch connectors.Batch) error {
		b := m.batch(batch)
		b.After, b.Last = cursor, !batch.More
		ctx, span := telemetry.Step(ctx, "save batch", "source", src.Name)
		span.Count("read", b.Read)
		err := p.store.SaveBatch(ctx, b)
		span.End(err)
		if err != nil {
			return err
		}
		cursor = batch.Next
		saved += b.Read
		if p.opt.Progress != nil {
			p.opt.Progress(src.Name, saved)
		}
		return nil
	}
	for read := range batches {
		if read.err != nil {
			return fail(read.err)
		}
		if err := save(read.Batch); err != nil {
			return fail(err)
		}
	}
	if err := ctx.Err(); err != nil { // told to stop, the reader may have ended without a word
		return sr, err
	}
	if err := p.tail(ctx, source, src.Name, sr.revision, cursor, save); err != nil {
		return fail(err)
	}
	if m.MakesProfiles() { // before others look things up
		if _, err := p.withdrawOlder(ctx, r, &sr); err != nil {
			return fail(err)
		}
	}
	return sr, nil
}

// tail reads what changed in the last moments, where the source's lag hid it from a complete reading
// that is about to say what is gone. The cursor stays: the next reading gives it again (decisions/0076).
func (p *Pipeline) tail(ctx context.Context, source connectors.Source, name string, revision uint32, ended connectors.Cursor, save func(connectors.Batch) error) error {
	t, ok := source.(connectors.TailReader)
	if !ok {
		return nil
	}
	if unsettled, err := p.store.Unsettled(ctx, name, revision); err != nil || !unsettled {
		return err
	}
	return t.Tail(ctx, ended, batchSize, func(b connectors.Batch) error {
		b.Next, b.More = ended, false
		return save(b)
	})
}

// informed tells a mapper, whose revision is set, what is known by now: the
// directory, whose change it gives, and who and what must not come back.
func (p *Pipeline) informed(ctx context.Context, m *mapper) (change int64, err error) {
	directory, err := p.store.Directory(ctx)
	if err != nil {
		return 0, err
	}
	m.ranks = p.ranks(directory)
	if m.directory, err = p.matching(ctx, m.Mapping, directory, p.store.Profiles, directory.Change()); err != nil {
		return 0, err
	}
	if m.erased, err = p.store.Erased(ctx); err != nil {
		return 0, err
	}
	if m.erasing, err = p.store.Erasing(ctx, m.source, m.revision); err != nil {
		return 0, err
	}
	m.dropped, err = p.store.Dropped(ctx, m.source)
	return directory.Change(), err
}

type read struct {
	connectors.Batch
	err error
}

// readAhead reads the next batch while the last one is mapped and saved. The
// channel ends after the last batch, or after an error. Cancel ctx to stop early.
func readAhead(ctx context.Context, source connectors.Source, cursor connectors.Cursor) <-chan read {
	out := make(chan read)
	go func() {
		defer close(out)
		for {
			b, err := source.Read(ctx, cursor, batchSize)
			select {
			case out <- read{b, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || !b.More {
				return
			}
			cursor = b.Next
		}
	}()
	return out
}
