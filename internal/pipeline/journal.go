package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"time"

	"energyd/internal/store"
)

// journal notes who had something done.
func (p *Pipeline) journal(ctx context.Context, act, run, subject, reason string) error {
	return p.store.AddJournal(ctx, p.entry(act, run, subject, reason))
}

func (p *Pipeline) entry(act, run, subject, reason string) store.JournalEntry {
	return store.JournalEntry{At: p.opt.Now(), Who: p.opt.Who, Act: act, Run: run, Subject: subject, Reason: reason}
}

// noteConfiguration journals which files of the configuration are others than
// at the last run, and removes entries that were kept long enough.
func (p *Pipeline) noteConfiguration(ctx context.Context, run string) error {
	prints := map[string]string{}
	for _, file := range p.cfg.Files() {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it was read when the run began; a file that is just being replaced is noted by the next run
		}
		sum := sha256.Sum256(text)
		prints[p.relative(file)] = hex.EncodeToString(sum[:6])
	}
	if err := p.store.NoteFiles(ctx, p.entry(store.Changed, run, "", ""), prints); err != nil {
		return err
	}
	if p.cfg.JournalDays == 0 {
		return nil
	}
	return p.store.TrimJournal(ctx, p.opt.Now().Add(-time.Duration(p.cfg.JournalDays)*24*time.Hour))
}
