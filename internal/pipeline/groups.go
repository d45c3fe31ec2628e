package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"energyd/engine"
	"energyd/internal/store"
	"energyd/internal/telemetry"
)

// hierarchy gives under which companies accounts stood, as the CRM told, with a
// text that changes whenever any answer does; "" when nobody stands under anybody.
func (p *Pipeline) hierarchy(ctx context.Context) (*engine.Hierarchy, string, error) {
	placed, err := p.store.Placements(ctx)
	if err != nil || len(placed) == 0 {
		return nil, "", err
	}
	directory, err := p.store.Directory(ctx)
	if err != nil {
		return nil, "", err
	}
	today := p.table.Parent == "today"
	links := make([]engine.Placement, 0, len(placed))
	h := sha256.New()
	fmt.Fprintln(h, today)
	for _, l := range placed {
		link := engine.Placement{Account: l.Account, Since: p.points.BusinessDate(l.Since)}
		// One that was merged is what it went into; one that is gone is none.
		if parent, there := directory.Find(engine.Account, "id", l.Parent); there && parent != l.Account {
			link.Parent = parent
		}
		fmt.Fprintln(h, link)
		links = append(links, link)
	}
	return engine.NewHierarchy(links, today), hex.EncodeToString(h.Sum(nil)), nil
}

// fold merges what arrived into the scores, those of groups too.
func (p *Pipeline) fold(ctx context.Context) (stats store.FoldStats, err error) {
	ctx, span := telemetry.Step(ctx, "fold")
	defer func() { span.Count("arrived", stats.Arrived); span.End(err) }()
	groups, by, err := p.hierarchy(ctx)
	if err != nil {
		return store.FoldStats{}, err
	}
	p.groups, p.rolledBy = groups, by
	if stats, err = p.store.Fold(ctx, p.scorer(), p.AsOf()); err != nil {
		return stats, err
	}
	return stats, p.store.RollUp(ctx, p.scorer(), p.AsOf(), by, groups.RollUp)
}

// Help takes part in the fold of another process, if there is one that is shared (store.Help). What it fails with is
// met by who folds, too.
func (p *Pipeline) Help(ctx context.Context) {
	offered, err := p.store.Offered(ctx)
	if err == nil && offered {
		err = p.help(ctx)
	}
	if err != nil && ctx.Err() == nil {
		p.log.Debug("could not help with another process's scores", "error", err)
	}
}

func (p *Pipeline) help(ctx context.Context) (err error) {
	q := *p // with the groups of now
	if q.groups, q.rolledBy, err = p.hierarchy(ctx); err != nil {
		return err
	}
	jobs, err := p.store.Help(ctx, q.scorer())
	if jobs > 0 {
		p.log.Info("helped with another process's scores", "jobs", jobs)
	}
	return err
}

// below gives the activities of all accounts that may have counted for a group.
func (p *Pipeline) below(ctx context.Context, group string) ([]engine.Activity, error) {
	var all []engine.Activity
	for _, account := range p.groups.Below(group) {
		acts, err := p.store.AccountActivities(ctx, account)
		if err != nil {
			return nil, err
		}
		all = append(all, acts...)
	}
	return all, nil
}

// circles notes accounts that stand under themselves.
func (p *Pipeline) circles(r *Report) {
	circles := p.groups.Circles()
	if len(circles) == 0 {
		return
	}
	const most = 5
	more := ""
	if len(circles) > most {
		more = fmt.Sprintf(" and %d more", len(circles)-most)
	}
	r.Warnings = append(r.Warnings, fmt.Sprintf("accounts stand under each other in a circle, so they count for no group: %s%s; mend their parent account in the CRM",
		slices.Clip(circles[:min(most, len(circles))]), more))
}
