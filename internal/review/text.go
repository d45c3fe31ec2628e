package review

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText writes a review for a terminal.
func WriteText(w io.Writer, r *Result) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%d deals: %d won, %d lost; looked at on %d days of deals, %d more are not decided yet\n", r.Deals, r.Won, r.Lost, r.Rows, r.Immature)
	fmt.Fprintf(b, "learned from %d until %s, tested on the %d after it (%d deals)\n", r.Train.Rows, r.TrainUntil, r.Test.Rows, r.Test.Deals)
	for _, f := range r.Findings {
		fmt.Fprintf(b, "note: %s\n  needed: %s\n", f.Text, f.Need)
	}
	if r.Present != nil {
		b.WriteString("\n")
		t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "on the newest deals\tAUC\t95 %\tlift at 10 %\tBrier\tcalibration slope")
		line := func(name string, f *Figures) {
			fmt.Fprintf(t, "%s\t%.3f\t%.3f–%.3f\t%.2f\t%.3f\t%.2f\n", name, f.AUC.Value, f.AUC.Low, f.AUC.High, f.Lift, f.Brier, f.Calibration.Slope)
		}
		for _, o := range []struct{ key, name string }{{"contact_count", "number of contacts"}, {"recency", "days since the last contact"}, {"rfm", "RFM"}} {
			fmt.Fprintf(t, "%s\t%.3f\t\t%.2f\t\t\n", o.name, r.Others[o.key].AUC, r.Others[o.key].Lift)
		}
		line("the table in use", r.Present)
		if r.Proposed != nil {
			line("the fitted table", r.Proposed)
		}
		_ = t.Flush()
	}
	if r.Proposed != nil {
		b.WriteString("\n")
		t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "\tin use\tfitted\t95 %\tdeals\tverdict\t")
		for _, list := range [][]Weight{r.How, r.Ranks} {
			for _, x := range list {
				if x.Deals == 0 {
					continue
				}
				between := ""
				if x.Verdict != TooFew {
					between = fmt.Sprintf("%.1f–%.1f", x.Low, x.High)
				}
				fmt.Fprintf(t, "%s\t%g\t%g\t%s\t%d\t%s\t\n", x.Name, x.Present, x.Proposed, between, x.Deals, x.Verdict)
			}
		}
		fmt.Fprintf(t, "half-life in days\t%g\t%g\t\t\t\t\n", r.HalfLife.Present, r.HalfLife.Proposed)
		_ = t.Flush()
		fmt.Fprintf(b, "\nunder the fitted table temperatures are %.2f times as high: bands must move by as much\n", r.Energy)
	}
	fmt.Fprintf(b, "\n%s\n", r.Verdict.Reason)
	_, err := io.WriteString(w, b.String())
	return err
}
