package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"energyd/connectors"
	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/report"
	"energyd/internal/survey"
)

// surveyFlags are what a person asks of a survey.
type surveyFlags struct {
	pipeline.SurveyOptions
	html, write string
	force       bool
	dir         string // of energyd.yaml
}

// How much of each item is looked at, and how long, where nobody says otherwise.
const (
	surveyRows  = 2000
	surveyLimit = 20 * time.Second
)

func (a *app) surveyCommand() *cobra.Command {
	var f surveyFlags
	c := &cobra.Command{
		Use:   "survey CONNECTION [ITEM…]",
		Short: "Profile a source and propose a mapping",
		Long: `survey looks at the tables, objects, folders or files of a connection by a sample, recognises what their
columns are to a contact (date, kind, customer, person, title …), says how sure it is and why, tells what is
missing for a good energy, and proposes a mapping file. It only reads, and a table of any size for some
seconds. Personal data are masked.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("name a connection of energyd.yaml, and tables or objects of it if you like")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			f.Items = args[1:]
			if f.Rows < 50 || f.Rows > 100_000 {
				return usage("--rows must be 50 to 100000")
			}
			s, err := a.survey(c.Context(), args[0], &f)
			if err != nil {
				return err
			}
			return a.showSurvey(s, &f)
		},
	}
	c.Flags().IntVar(&f.Rows, "rows", surveyRows, "rows to look at of each item")
	c.Flags().DurationVar(&f.Limit, "limit", surveyLimit, "time for each item")
	c.Flags().StringVar(&f.Words, "words", "", "file with further words by which columns are recognised, of the shape of survey.yaml")
	c.Flags().StringVar(&f.html, "html", "", "write the survey as a page into this file")
	c.Flags().StringVar(&f.write, "write", "", "write the proposed mapping into this file, as mappings/reports.yaml")
	c.Flags().BoolVar(&f.force, "force", false, "let --write and --html overwrite a file")
	return c
}

// survey reads the configuration as far as it is made, and looks at the connection.
func (a *app) survey(ctx context.Context, connection string, f *surveyFlags) (s *pipeline.Survey, err error) {
	file, err := a.configFile()
	if err != nil {
		return nil, err
	}
	f.dir = filepath.Dir(file)
	cfg, err := config.LoadConnection(file, all.Connectors, connection)
	if err != nil {
		return nil, err
	}
	p, err := pipeline.Open(ctx, cfg, pipeline.Options{Log: a.log(), Now: time.Now, AtRest: true, AsOf: engine.NoDate})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return p.Survey(ctx, connection, f.SurveyOptions)
}

func (a *app) showSurvey(s *pipeline.Survey, f *surveyFlags) error {
	best := survey.Best(s.Items)
	if f.html != "" {
		page := survey.Page{Connection: s.Connection, Type: s.Type, On: s.On, Items: s.Items, Others: s.Others, Language: s.Language, Mapping: f.mappingName(best)}
		if err := writeFile(f.html, page.HTML(), f.force); err != nil {
			return err
		}
	}
	if f.write != "" {
		if best == nil {
			return fault.New(fault.Config, "survey", "no item holds contacts, so there is no mapping to write", "name the table in which contacts are: energyd survey "+s.Connection+" TABLE", nil)
		}
		if err := writeFile(f.write, []byte(best.Proposal.Mapping), f.force); err != nil {
			return err
		}
	}
	if a.json {
		return a.encode(s)
	}
	a.printSurvey(s, best, f)
	return nil
}

// mappingName is how energyd.yaml names the mapping: relative to its own folder.
func (f *surveyFlags) mappingName(best *survey.Item) string {
	if f.write != "" {
		if name, err := filepath.Rel(f.dir, f.write); err == nil && filepath.IsAbs(f.dir) == filepath.IsAbs(f.write) {
			return filepath.ToSlash(name)
		}
		return filepath.ToSlash(f.write)
	}
	if best == nil {
		return ""
	}
	return "mappings/" + best.Proposal.Name + ".yaml"
}

func writeFile(file string, data []byte, force bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	w, err := os.OpenFile(file, flags, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Config, "survey", file+" is there already", "name another file, or overwrite it with --force", nil)
	}
	if err != nil {
		return fault.New(fault.Config, "survey", "cannot write "+file, "name a file in a folder that is there and that you may write to", err)
	}
	_, err = w.Write(data)
	return errors.Join(err, w.Close())
}

// printSurvey shows the survey on a terminal: a line per item, then each item with contacts.
func (a *app) printSurvey(s *pipeline.Survey, best *survey.Item, f *surveyFlags) {
	ja := s.Language == "ja"
	say := func(en, japanese string) string {
		if ja {
			return japanese
		}
		return en
	}
	list := newTable(say("item", "対象"), say("kind", "種類"), say("rows", "行数"), say("newest", "最新"), say("holds", "内容"), say("sure", "確度")).alignRight(2, 5)
	for _, i := range s.Items {
		newest := ""
		if !i.Newest.IsZero() {
			newest = i.Newest.Format(time.DateOnly)
		} else if !i.Changed.IsZero() {
			newest = i.Changed.Format(time.DateOnly)
		}
		holds, sure := i.Purpose.Label(s.Language), fmt.Sprintf("%.0f%%", 100*i.Sure)
		if i.Err != "" {
			holds, sure = say("not looked at: ", "調査できず: ")+i.Err, ""
		}
		if i.Mapping != "" {
			holds += " (" + i.Mapping + ")"
		}
		list.row(i.Name, survey.KindLabel(i.Kind, s.Language), rowsText(i.Item), newest, holds, sure)
	}
	list.print(a.out)
	if n := len(s.Others); n > 0 {
		fmt.Fprintf(a.out, say("not looked at, since they are empty or others have more rows: %s\n", "調査していないもの(空、または他より行が少ない): %s\n"), strings.Join(names(s.Others, 12), ", "))
	}
	for _, i := range s.Items {
		if i.Kind != "folder" && (i.Purpose == survey.Contacts && i.Mapping == "" || len(s.Items) == 1) {
			a.printItem(i, s.Language, say)
		}
	}
	switch {
	case best == nil && slices.ContainsFunc(s.Items, func(i *survey.Item) bool { return i.Mapping != "" }):
		fmt.Fprintln(a.out, "\n"+say("The mappings that are named read these as they are; energyd init writes them. energyd pull --dry-run shows what would be kept.",
			"名前のあるマッピングがそのまま読む(energyd init が作る)。何が保存されるかは energyd pull --dry-run で確認できる。"))
	case best == nil:
		fmt.Fprintln(a.out, "\n"+say("No item holds contacts with customers, as far as its columns tell.", "顧客との接触を記録したものは見つからなかった。"))
	case f.write != "" && best.Proposal.Known:
		fmt.Fprintf(a.out, "\n"+say("wrote %s. In energyd.yaml the source %s reads it already; put this in its place, then run energyd check:\n",
			"%s を書いた。energyd.yaml のソース %s が既にこれを読む。次と置き換え、energyd check を実行する:\n"), f.write, best.Proposal.Name)
		fmt.Fprint(a.out, best.Proposal.Source(f.mappingName(best)))
	case f.write != "":
		fmt.Fprintf(a.out, "\n"+say("wrote %s. Put this under sources: in energyd.yaml, then run energyd check:\n", "%s を書いた。次を energyd.yaml の sources: に加え、energyd check を実行する:\n"), f.write)
		fmt.Fprint(a.out, best.Proposal.Source(f.mappingName(best)))
	default:
		fmt.Fprintf(a.out, "\n"+say("next: energyd survey %s %s --write mappings/%s.yaml\n", "次: energyd survey %s %s --write mappings/%s.yaml\n"), s.Connection, shellWord(best.Name), best.Proposal.Name)
	}
}

func (a *app) printItem(i *survey.Item, language string, say func(en, ja string) string) {
	seen := fmt.Sprintf(say("all %d rows", "全%d行"), i.Looked)
	if !i.Whole {
		seen = fmt.Sprintf(say("a sample: %d rows (%s)", "標本%d行 (%s)"), i.Looked, i.How)
	}
	fmt.Fprintf(a.out, "\n%s: %s\n", i.Name, seen)
	for _, n := range i.Notes {
		fmt.Fprintln(a.out, "  "+n)
	}
	t := newTable(say("column", "列"), say("type", "型"), say("filled", "記入"), say("distinct", "種類"), say("values", "値"), say("is", "役割"), say("sure", "確度"), say("because", "理由")).alignRight(2, 3, 6)
	for _, c := range i.Columns {
		is, sure, why := "", "", ""
		if c.Guess != nil {
			is, sure, why = c.Guess.Role.Label(language), fmt.Sprintf("%.0f%%", 100*c.Guess.Confidence), c.Guess.Reason
		}
		name := c.Name
		if c.Key {
			name += " *"
		}
		t.row(name, c.Type, fmt.Sprintf("%.0f%%", 100*c.Fill), c.Distinct, shown(c), is, sure, why)
	}
	t.print(a.out)
	if len(i.Advice) == 0 {
		return
	}
	fmt.Fprintln(a.out, say("what is missing:", "足りないもの:"))
	for _, advice := range i.Advice {
		mark := "-"
		if advice.Must {
			mark = "!"
		}
		fmt.Fprintf(a.out, "  %s %s %s\n", mark, advice.Text, advice.Do)
	}
}

// shown is a column's range, else its commonest values, in few characters.
func shown(c survey.Column) string {
	if c.From != "" {
		return c.From + " … " + c.To
	}
	return report.Cut(strings.Join(c.Samples, ", "), 36)
}

func rowsText(i connectors.Item) string {
	switch {
	case i.Rows < 0:
		return "?"
	case i.Estimated:
		return fmt.Sprintf("~%d", i.Rows)
	}
	return fmt.Sprint(i.Rows)
}

// names are the items' names, up to most.
func names(items []connectors.Item, most int) []string {
	var out []string
	for _, i := range items {
		out = append(out, i.Name)
	}
	slices.Sort(out)
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("… (%d)", len(items)))
	}
	return out
}

// shellWord is a name as a shell takes it for one word.
func shellWord(s string) string {
	if strings.ContainsAny(s, " \t'\"$&|;<>()*?\\`!#~") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
