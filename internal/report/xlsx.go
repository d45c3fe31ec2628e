package report

import (
	"errors"
	"io"

	"github.com/xuri/excelize/v2"

	"energyd/engine"
)

// heatColours are the depths of orange, palest first. Black is readable on all of them.
var heatColours = []string{"FFF1E0", "FFD9AD", "FFB870", "FF9A3C", "F57C00"}

// colour gives the colour of a step: 1 is the palest, every further one deeper.
func colour(step uint8) string { return heatColours[min(int(step), len(heatColours))-1] }

// WriteXLSX writes an Excel workbook: the table with filters and its heads
// kept in sight, energy in depths of orange, and a second sheet with the notes.
// Rows go to the file as they come; those of Excel's sheets are at most 1,048,576.
func (t *Table) WriteXLSX(w io.Writer, language string) (err error) {
	f := excelize.NewFile()
	defer func() { err = errors.Join(err, f.Close()) }()
	sheet := Label{Ja: "表", En: "Table"}.In(language)
	if err := f.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	styles, err := newStyles(f)
	if err != nil {
		return err
	}
	if err := t.printed(f, sheet); err != nil { // before rows stream: afterwards the sheet would be read back whole
		return err
	}
	s, err := f.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	for i, c := range t.Columns {
		if err := s.SetColWidth(i+1, i+1, columnWidth(c.Type)); err != nil {
			return err
		}
	}
	if err := s.SetPanes(&excelize.Panes{Freeze: true, XSplit: 1, YSplit: 1, TopLeftCell: "B2", ActivePane: "bottomRight"}); err != nil {
		return err
	}
	cells := make([]any, len(t.Columns))
	for i, head := range t.heads(language) {
		style := styles.head
		if t.Columns[i].Type != Text {
			style = styles.headRight
		}
		cells[i] = excelize.Cell{StyleID: style, Value: head}
	}
	if err := s.SetRow("A1", cells); err != nil {
		return err
	}
	n := 1
	for row := range t.Rows {
		n++
		for i, v := range row {
			if cells[i], err = styles.cell(v, t.Columns[i].Type, language); err != nil {
				return err
			}
		}
		at, err := excelize.CoordinatesToCellName(1, n)
		if err != nil {
			return err
		}
		if err := s.SetRow(at, cells); err != nil {
			return err
		}
	}
	last, err := excelize.CoordinatesToCellName(len(t.Columns), n)
	if err != nil {
		return err
	}
	plain := false
	if err := errors.Join(s.AddTable(&excelize.Table{Range: "A1:" + last, Name: "report", ShowRowStripes: &plain}), s.Flush()); err != nil {
		return err
	}
	if err := t.notesSheet(f, styles, language); err != nil {
		return err
	}
	return f.Write(w)
}

// printed sets the sheet up for paper: A4 across, one page wide, heads on each page.
func (t *Table) printed(f *excelize.File, sheet string) error {
	across, wide, high, a4 := "landscape", 1, 0, 9
	fit := true
	return errors.Join(
		f.SetPageLayout(sheet, &excelize.PageLayoutOptions{Size: &a4, Orientation: &across, FitToWidth: &wide, FitToHeight: &high}),
		f.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &fit}),
		f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: "'" + sheet + "'!$1:$1", Scope: sheet}))
}

func (t *Table) notesSheet(f *excelize.File, styles *styles, language string) error {
	sheet := Label{Ja: "説明", En: "Notes"}.In(language)
	if _, err := f.NewSheet(sheet); err != nil {
		return err
	}
	if err := t.printed(f, sheet); err != nil {
		return err
	}
	if err := f.SetColWidth(sheet, "A", "A", 110); err != nil {
		return err
	}
	row := 0
	line := func(s string, style int) error {
		row++
		at, err := excelize.CoordinatesToCellName(1, row)
		if err != nil {
			return err
		}
		return errors.Join(f.SetCellStr(sheet, at, s), f.SetCellStyle(sheet, at, at, style))
	}
	if err := line(t.Title.In(language)+"  "+t.AsOf.String(), styles.head); err != nil {
		return err
	}
	for _, n := range t.Notes {
		if err := line(n.In(language), styles.wrapped); err != nil {
			return err
		}
	}
	for step, l := range t.Legend {
		style := styles.wrapped
		if step > 0 {
			var err error
			if style, err = styles.of(styleKey{Text, uint8(step), false}); err != nil { // a handful of steps
				return err
			}
		}
		if err := line(l.In(language), style); err != nil {
			return err
		}
	}
	return nil
}

func columnWidth(t Type) float64 {
	switch t {
	case Text:
		return 28
	case Day, Money:
		return 14
	}
	return 11
}

// styles are a workbook's styles, made when they are first needed.
type styles struct {
	f                        *excelize.File
	head, headRight, wrapped int
	known                    map[styleKey]int
}

type styleKey struct {
	t    Type
	heat uint8
	warn bool
}

func newStyles(f *excelize.File) (*styles, error) {
	s := &styles{f: f, known: map[styleKey]int{}}
	head := excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"},
		Border: []excelize.Border{{Type: "bottom", Color: "808080", Style: 1}}}
	var err error
	if s.head, err = f.NewStyle(&head); err != nil {
		return nil, err
	}
	head.Alignment.Horizontal = "right" // above numbers
	if s.headRight, err = f.NewStyle(&head); err != nil {
		return nil, err
	}
	s.wrapped, err = f.NewStyle(&excelize.Style{Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}})
	return s, err
}

// formats are Excel's number formats by column type.
var formats = [...]string{Text: "@", Day: "yyyy-mm-dd", Points: "#,##0.0", Count: "#,##0", Money: "#,##0", Share: "0.0%", Figure: "#,##0.00", Place: "0.##"}

func (s *styles) of(k styleKey) (int, error) {
	if id, ok := s.known[k]; ok {
		return id, nil
	}
	style := &excelize.Style{CustomNumFmt: &formats[k.t]}
	if k.heat > 0 {
		style.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour(k.heat)}}
	}
	if k.warn {
		style.Font = &excelize.Font{Bold: true, Color: "B00020"}
	}
	id, err := s.f.NewStyle(style)
	s.known[k] = id
	return id, err
}

// firstSerial is the day that Excel numbers 0, in the reckoning that holds from March 1900 on.
var firstSerial = engine.DateOf(1899, 12, 30)

func (s *styles) cell(v Value, t Type, language string) (any, error) {
	t = v.as(t)
	id, err := s.of(styleKey{t, v.Heat, v.Warn})
	c := excelize.Cell{StyleID: id}
	switch {
	case v.NA:
		c.Value = "n/a"
	case v.None:
	case t == Text:
		c.Value = v.words(language) // a cell of type text is no formula, whatever it begins with
	case t == Day:
		c.Value = v.Number - float64(firstSerial)
	default:
		c.Value = v.Number
	}
	return c, err
}
