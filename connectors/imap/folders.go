package imap

import (
	"context"
	"slices"
	"strings"
	"unicode"

	imap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"energyd/internal/fault"
)

// folder is one folder that can be read, and where it stands.
type folder struct {
	name     string // its real name
	use      string // "\Sent", "\Drafts" …; "" = none known
	delim    string // between the parts of its name; "" = none
	validity uint32
	next     uint32 // UIDNEXT; 0 = not told
	modseq   uint64
}

// list gives the folders that can be examined, with their state where the
// server tells it along with the list.
func (s *session) list(context.Context) ([]folder, error) {
	if s.folder != "" { // the state of an open folder is told as it was when it was last looked at
		if err := s.leave(); err != nil {
			return nil, err
		}
	}
	return s.folders()
}

// folders is list while a folder is open, whose own state is then not to be relied on.
func (s *session) folders() ([]folder, error) {
	s.listed.Store(false)
	options := &imap.ListOptions{ReturnSpecialUse: s.caps.Has(imap.CapSpecialUse)}
	if s.caps.Has(imap.CapListStatus) {
		options.ReturnStatus = s.statusItems()
	}
	if !options.ReturnSpecialUse && options.ReturnStatus == nil {
		options = nil
	}
	found, err := s.client.List("", "*", options).Collect()
	if err != nil {
		return nil, err
	}
	var folders []folder
	for _, l := range found {
		if slices.Contains(l.Attrs, imap.MailboxAttrNoSelect) || slices.Contains(l.Attrs, imap.MailboxAttrNonExistent) {
			continue
		}
		f := folder{name: l.Mailbox}
		if l.Delim != 0 {
			f.delim = string(l.Delim)
		}
		for _, a := range l.Attrs {
			if use := specialUse(string(a)); use != "" {
				f.use = use
			}
		}
		if f.use == "" {
			f.use = usual[plainName(lastPart(f))]
		}
		if l.Status != nil {
			f.state(l.Status)
		}
		folders = append(folders, f)
	}
	return folders, nil
}

func (s *session) statusItems() *imap.StatusOptions {
	return &imap.StatusOptions{UIDNext: true, UIDValidity: true, HighestModSeq: s.caps.Has(imap.CapCondStore)}
}

func (f *folder) state(d *imap.StatusData) {
	f.validity, f.next, f.modseq = d.UIDValidity, uint32(d.UIDNext), d.HighestModSeq
}

// ahead is how many commands are sent before the first is answered.
const ahead = 100

// status asks where folders stand. gone are the names of those that are not there (any more).
func (s *session) status(folders []folder) (there []folder, gone []string, err error) {
	for chunk := range slices.Chunk(folders, ahead) {
		var asked []*imapclient.StatusCommand
		for _, f := range chunk {
			asked = append(asked, s.client.Status(f.name, s.statusItems()))
		}
		for i, f := range chunk {
			d, err := asked[i].Wait()
			switch {
			case isAnswer(err):
				gone = append(gone, f.name)
			case err != nil:
				return nil, nil, err
			default:
				f.state(d)
				there = append(there, f)
			}
		}
	}
	return there, gone, nil
}

// specialUse gives an attribute of RFC 6154 in its usual writing; "" for others.
func specialUse(attr string) string {
	for _, use := range []string{`\All`, `\Archive`, `\Drafts`, `\Flagged`, `\Junk`, `\Sent`, `\Trash`} {
		if strings.EqualFold(attr, use) {
			return use
		}
	}
	return ""
}

// usual are the names by which programs call folders of a use, as plainName gives them [13].
var usual = map[string]string{
	"sent": `\Sent`, "sent items": `\Sent`, "sent messages": `\Sent`, "sent mail": `\Sent`, "送信済み": `\Sent`, "送信済みトレイ": `\Sent`,
	"送信済みアイテム": `\Sent`, "送信済みメール": `\Sent`, "送信箱": `\Sent`,
	"テンプレート": `\Drafts`, "送信待ち": `\Drafts`,
	"drafts": `\Drafts`, "draft": `\Drafts`, "下書き": `\Drafts`, "templates": `\Drafts`, "outbox": `\Drafts`, "送信トレイ": `\Drafts`,
	"trash": `\Trash`, "deleted items": `\Trash`, "deleted messages": `\Trash`, "ごみ箱": `\Trash`, "ゴミ箱": `\Trash`, "削除済みアイテム": `\Trash`, "削除済みメール": `\Trash`,
	"junk": `\Junk`, "spam": `\Junk`, "junk e-mail": `\Junk`, "junk email": `\Junk`, "junk mail": `\Junk`, "bulk mail": `\Junk`,
	"迷惑メール": `\Junk`, "迷惑メールフォルダ": `\Junk`, "迷惑メールフォルダー": `\Junk`, "迷惑メール フォルダー": `\Junk`,
}

// shown is a folder's name as people and records see it: without what would
// write elsewhere on a terminal.
func (f folder) shown() string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, f.name)
}

func lastPart(f folder) string {
	if f.delim == "" {
		return f.name
	}
	return f.name[strings.LastIndex(f.name, f.delim)+len(f.delim):]
}

// plainName is a name in the form in which names are compared.
func plainName(name string) string {
	return cases.Fold().String(norm.NFKC.String(strings.TrimSpace(name)))
}

// fits tells whether one of the admin's words means f: its name, "name/*" for
// what is below it, or a use as \Sent.
func (f folder) fits(rule string) bool {
	if strings.HasPrefix(rule, `\`) {
		return strings.EqualFold(rule, f.use)
	}
	name := plainName(f.name)
	if f.delim != "" && f.delim != "/" {
		name = strings.ReplaceAll(name, plainName(f.delim), "/")
	}
	rule = plainName(rule)
	if tree, ok := strings.CutSuffix(rule, "/*"); ok {
		return strings.HasPrefix(name, tree+"/")
	}
	return name == rule || plainName(f.name) == rule
}

// choose gives the folders to read, by name: those of the rules, else \All alone
// where there is one, since all mails lie in it [17], else all but drafts, trash and junk [15].
func choose(folders []folder, want, skip []string) []folder {
	all := slices.ContainsFunc(folders, func(f folder) bool { return f.use == `\All` })
	var chosen []folder
	for _, f := range folders {
		fits := func(rule string) bool { return f.fits(rule) }
		read := false
		switch {
		case slices.ContainsFunc(skip, fits):
		case len(want) > 0:
			read = slices.ContainsFunc(want, fits)
		case all:
			read = f.use == `\All`
		default:
			read = f.use != `\Drafts` && f.use != `\Trash` && f.use != `\Junk` && f.use != `\Flagged`
		}
		if read {
			chosen = append(chosen, f)
		}
	}
	slices.SortFunc(chosen, func(a, b folder) int { return strings.Compare(a.name, b.name) })
	return chosen
}

// examine opens a folder for reading only; false when it is gone.
func (s *session) examine(f *folder) (bool, error) {
	if err := s.settle(); err != nil {
		return false, err
	}
	s.early = nil
	s.folder = ""
	s.listed.Store(true)
	d, err := s.client.Select(f.name, &imap.SelectOptions{ReadOnly: true}).Wait()
	if isAnswer(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.folder = f.name
	f.validity, f.next = d.UIDValidity, uint32(d.UIDNext)
	return true, nil
}

// leave closes the examined folder. CLOSE removes nothing from a folder that is open for reading only.
func (s *session) leave() error {
	if err := s.settle(); err != nil {
		return err
	}
	s.early = nil
	s.folder = ""
	if s.caps.Has(imap.CapUnselect) {
		return s.client.Unselect().Wait()
	}
	return s.client.UnselectAndExpunge().Wait()
}

// nowhere is the fault of a rule that fits no folder of any mailbox.
func nowhere(rule string) error {
	return fault.New(fault.Config, "", "no mailbox has the folder "+rule, `check the spelling in folders; names below others are written with "/", and \Sent means the folder of sent mails whatever its name`, nil)
}
