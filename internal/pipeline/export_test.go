package pipeline

import "context"

// Rescore scores everything that is stored anew, as after a change of the points table.
func (p *Pipeline) Rescore(ctx context.Context) error {
	if err := p.store.Rebuild(ctx, p.scorer(), p.AsOf()); err != nil {
		return err
	}
	return p.raise(ctx, &Report{})
}
