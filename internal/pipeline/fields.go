package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/sink"
)

// CRMFields is how one connection's CRM stands to what is written into it.
type CRMFields struct {
	Connection string `json:"connection"`
	connectors.FieldPlan
	want  connectors.SetUp
	maker connectors.FieldMaker
}

// PlanFields compares the fields of the write section with those of each CRM. It changes nothing.
func (p *Pipeline) PlanFields(ctx context.Context) ([]CRMFields, error) {
	return p.fields(ctx, connectors.FieldMaker.PlanFields)
}

// MakeFields makes the fields that are missing and lets the signed-on user write
// them. What it found or made is given with an error, too. Faults: config (a
// field that is there cannot be used), auth (a right is missing); after both
// nothing was changed in that CRM.
func (p *Pipeline) MakeFields(ctx context.Context) ([]CRMFields, error) {
	crms, err := p.fields(ctx, connectors.FieldMaker.MakeFields)
	for _, crm := range crms {
		if made := slices.ContainsFunc(crm.Fields, func(f connectors.FieldState) bool { return f.Made }); made || len(crm.Access) > 0 {
			err = errors.Join(err, p.journal(ctx, store.MadeFields, "", crm.Connection, ""))
		}
	}
	return crms, err
}

func (p *Pipeline) fields(ctx context.Context, do func(connectors.FieldMaker, context.Context, connectors.SetUp) (connectors.FieldPlan, error)) ([]CRMFields, error) {
	crms, err := p.crms(ctx)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i := range crms {
		var err error
		crms[i].FieldPlan, err = do(crms[i].maker, ctx, crms[i].want)
		if problems := p.unfit(crms[i]); problems != nil {
			err = problems // the same, with places in energyd.yaml
		}
		errs = append(errs, err)
	}
	return crms, errors.Join(errs...)
}

// crms gives the connections of the write section and what is wanted of each.
func (p *Pipeline) crms(ctx context.Context) ([]CRMFields, error) {
	if len(p.cfg.Write) == 0 {
		return nil, noWrite("fields")
	}
	s, err := p.sink(ctx)
	if err != nil {
		return nil, err
	}
	hottest := p.points.Band(p.points.Bands() - 1).Label.In(p.cfg.Language)
	var crms []CRMFields
	for i, w := range p.cfg.Write {
		if slices.ContainsFunc(crms, func(c CRMFields) bool { return c.Connection == w.Connection }) {
			continue
		}
		maker, ok := s.Writings[i].Target.(connectors.FieldMaker)
		if !ok {
			return nil, fault.New(fault.Config, w.Connection, "energyd cannot make fields in this kind of CRM",
				"make them by hand; energyd check tells what is missing", nil)
		}
		var writings []sink.Writing
		for j, other := range p.cfg.Write {
			if other.Connection == w.Connection {
				writings = append(writings, s.Writings[j])
			}
		}
		crms = append(crms, CRMFields{Connection: w.Connection, want: sink.SetUp(writings, p.cfg.Language, hottest), maker: maker})
	}
	return crms, nil
}

// unfit places the fields that cannot be used in energyd.yaml.
func (p *Pipeline) unfit(c CRMFields) error {
	var ps fault.Problems
	for _, f := range c.Fields {
		if f.Standing != connectors.FieldUnfit {
			continue
		}
		for i, w := range p.cfg.Write {
			for measure, field := range w.Fields {
				if w.Connection == c.Connection && w.Object == f.Object && field == f.Name {
					ps = append(ps, fault.Problem{Path: fmt.Sprintf("write[%d].fields.%s", i, measure),
						Msg:  fmt.Sprintf("%s.%s cannot be used: %s", f.Object, f.Name, f.Problem),
						Hint: "nothing was changed; name another field here, or let the CRM's administrator change the one that is there"})
				}
			}
		}
	}
	return p.cfg.Place(ps)
}

// PackageFields writes what the CRM's administrator can deploy instead into dir,
// of several CRMs into a folder each, and gives the folders.
func (p *Pipeline) PackageFields(dir string, crms []CRMFields) (folders []string, err error) {
	for _, c := range crms {
		to := dir
		if len(crms) > 1 {
			to = filepath.Join(dir, c.Connection)
		}
		if _, err := c.maker.PackageFields(to, c.want, c.FieldPlan); err != nil {
			return folders, err
		}
		folders = append(folders, to)
	}
	return folders, nil
}
