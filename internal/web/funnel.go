package web

import (
	"context"
	"fmt"

	"energyd/internal/report"
)

// funnel is the table of the funnel with its picture.
type funnel struct {
	*table
	Bars   []funnelBar `json:"-"`
	Height int         `json:"-"` // of the picture
}

// funnelBar is a step in the picture: its width is that of the deals that reached it.
type funnelBar struct {
	Label, Reached             string
	X, Y, Width                int
	Conversion, Strength, Days string // to this step from the one before; "" for the first, and where it has no name
	// Of the slope between the bar before and this one.
	Slope string
}

// Measures of the picture.
const (
	funnelMiddle  = 420
	funnelWidest  = 420
	funnelBarHigh = 34
	funnelGap     = 40
)

func viewFunnel(ctx context.Context, v *visit) (*funnel, error) {
	t, err := v.table(ctx, "funnel")
	if err != nil {
		return nil, err
	}
	f := &funnel{table: t}
	f.draw(v)
	return f, nil
}

// draw makes the picture of the rows.
func (f *funnel) draw(v *visit) {
	value := func(row []report.Value, key string) (report.Value, string) {
		i, ok := f.columns[key]
		if !ok {
			return report.Value{}, ""
		}
		return row[i], row[i].String(f.whole.Columns[i].Type, v.language)
	}
	most := 0.
	for _, i := range f.choice.rows {
		n, _ := value(f.whole.Row(int(i), nil), "reached")
		most = max(most, n.Number)
	}
	if most == 0 {
		return
	}
	for n := range f.whole.Count {
		row := f.whole.Row(n, nil)
		reached, shown := value(row, "reached")
		b := funnelBar{Reached: shown, Width: max(2, int(funnelWidest*reached.Number/most)), Y: n * (funnelBarHigh + funnelGap)}
		b.X = funnelMiddle - b.Width/2
		_, b.Label = value(row, "step")
		if n > 0 {
			_, b.Conversion = value(row, "conversion")
			if name, text := value(row, "strength"); !name.None {
				b.Strength = text
			}
			before := f.Bars[n-1]
			b.Slope = slope(before, b)
		}
		if days, text := value(row, "median_days"); !days.None && !days.NA {
			b.Days = text
		}
		f.Bars = append(f.Bars, b)
	}
	f.Height = len(f.Bars)*(funnelBarHigh+funnelGap) - funnelGap
}

// slope is the outline between two bars, as <polygon points> has it.
func slope(above, below funnelBar) string {
	top, bottom := above.Y+funnelBarHigh, below.Y
	return fmt.Sprintf("%d,%d %d,%d %d,%d %d,%d", above.X, top, above.X+above.Width, top, below.X+below.Width, bottom, below.X, bottom)
}
