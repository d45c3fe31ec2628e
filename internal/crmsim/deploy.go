package crmsim

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"
)

// Metadata API by REST: a zip of files in metadata format is checked as a whole
// and, when nothing is wrong, put in place. Fields and permission sets are
// really made; of other components only form and names are checked.

// deployment is the state of one, and its answer.
type deployment struct {
	ID              string        `json:"id"`
	Status          string        `json:"status"` // Succeeded, Failed
	Success         bool          `json:"success"`
	Done            bool          `json:"done"`
	CheckOnly       bool          `json:"checkOnly"`
	RollbackOnError bool          `json:"rollbackOnError"`
	CreatedDate     string        `json:"createdDate"`
	CompletedDate   string        `json:"completedDate"`
	Components      int           `json:"numberComponentsTotal"`
	Deployed        int           `json:"numberComponentsDeployed"`
	Failed          int           `json:"numberComponentErrors"`
	ErrorMessage    *string       `json:"errorMessage"`
	Details         *deployDetail `json:"details,omitempty"`
}

type deployDetail struct {
	Failures  []deployMessage `json:"componentFailures"`
	Successes []deployMessage `json:"componentSuccesses"`
}

type deployMessage struct {
	ComponentType string  `json:"componentType"`
	FullName      string  `json:"fullName"`
	FileName      string  `json:"fileName"`
	Success       bool    `json:"success"`
	Created       bool    `json:"created"`
	Problem       *string `json:"problem"`
	ProblemType   *string `json:"problemType"`
}

// packageFolders says which component a file in metadata format is, by its folder.
var packageFolders = map[string]struct{ kind, suffix string }{
	"objects":        {"CustomObject", ".object"},
	"permissionsets": {"PermissionSet", ".permissionset"},
	"reports":        {"Report", ".report"},
	"dashboards":     {"Dashboard", ".dashboard"},
	"flexipages":     {"FlexiPage", ".flexipage"},
	"translations":   {"Translations", ".translation"},
	"layouts":        {"Layout", ".layout"},
	"lwc":            {"LightningComponentBundle", ""},
	"applications":   {"CustomApplication", ".app"},
	"tabs":           {"CustomTab", ".tab"},
}

func (s *Server) deploy(c *call) reply {
	archive, options, e := deployParts(c)
	if e != nil {
		return refusal(e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.rights["ModifyMetadata"] && !s.rights["ModifyAllData"] {
		return insufficientAccess
	}
	at := stamp(s.now().Unix())
	d := &deployment{ID: newID("0Af", uint64(len(s.deployments)+1)), Done: true, CheckOnly: options.CheckOnly, RollbackOnError: true,
		CreatedDate: at, CompletedDate: at, Details: &deployDetail{Failures: []deployMessage{}, Successes: []deployMessage{}}}
	p := parcel{s: s, d: d, files: map[string][]byte{}, coming: map[string]bool{}}
	p.run(archive, options.CheckOnly)
	s.deployments[d.ID] = d
	a := answer(map[string]any{"id": d.ID, "validatedDeployRequestId": nil, "deployOptions": options,
		"deployResult": map[string]any{"id": d.ID, "status": "Pending", "done": false, "success": false}})
	a.status = http.StatusCreated
	return a
}

func (s *Server) deployStatus(c *call) reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, _ := normalID(c.args[0])
	d := s.deployments[id]
	if d == nil {
		return notFound
	}
	shown := *d
	if c.r.URL.Query().Get("includeDetails") != "true" {
		shown.Details = nil
	}
	return answer(map[string]any{"id": d.ID, "deployResult": shown})
}

type deployOptions struct {
	CheckOnly bool `json:"checkOnly"`
}

// deployParts reads the multipart body: the zip, and the options, whose part has two names in use.
func deployParts(c *call) (archive []byte, options deployOptions, refused *Error) {
	_, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return nil, options, refuse("INVALID_MULTIPART_REQUEST", nil, "a multipart body is expected")
	}
	form := multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, options, refuse("INVALID_MULTIPART_REQUEST", nil, "the multipart body cannot be read")
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, options, refuse("INVALID_MULTIPART_REQUEST", nil, "the multipart body cannot be read")
		}
		switch part.FormName() {
		case "file":
			archive = text
		case "json", "entity_content":
			given := struct {
				Options *deployOptions `json:"deployOptions"`
			}{&options}
			if err := json.Unmarshal(text, &given); err != nil {
				return nil, options, refuse(illTyped, nil, "the deploy options cannot be read")
			}
		}
	}
	if archive == nil {
		return nil, options, refuse("INVALID_MULTIPART_REQUEST", nil, "the part file is missing")
	}
	return archive, options, nil
}

// parcel is a package on its way into the org.
type parcel struct {
	s          *Server
	d          *deployment
	files      map[string][]byte // by their path below package.xml
	components []packed
	coming     map[string]bool // full names of the fields that it brings, lower case
}

// packed is one component of a package.
type packed struct {
	kind, name, file string
	set              *component // nil where only form and name are checked
}

func (p *parcel) fail(kind, name, file, format string, args ...any) {
	problem, sort := fmt.Sprintf(format, args...), "Error"
	p.d.Details.Failures = append(p.d.Details.Failures, deployMessage{ComponentType: kind, FullName: name, FileName: file, Problem: &problem, ProblemType: &sort})
}

// run checks all of a package, and puts it in place when nothing is wrong.
func (p *parcel) run(archive []byte, checkOnly bool) {
	if err := p.unzip(archive); err != nil {
		text := asError(err).Message
		p.d.Status, p.d.ErrorMessage, p.d.Details = "Failed", &text, &deployDetail{Failures: []deployMessage{}, Successes: []deployMessage{}}
		p.fail("", "package.xml", "package.xml", "%s", text)
		p.d.Failed = 1
		return
	}
	for _, file := range slices.Sorted(maps.Keys(p.files)) {
		p.read(file)
	}
	p.list()
	for _, c := range p.components {
		if c.kind == "CustomField" {
			p.coming[lower(c.name)] = true
		}
	}
	p.d.Components = len(p.components)
	for _, rounds := range []saving{{create: true, change: true, check: true}, {create: true, change: true}} {
		if len(p.d.Details.Failures) > 0 || !rounds.check && checkOnly {
			break
		}
		p.d.Details.Successes = []deployMessage{}
		for _, c := range p.ordered() {
			created := false
			if c.set != nil {
				var err error
				if created, err = p.s.save(c.set, rounds, p.coming); err != nil {
					p.fail(c.kind, c.name, c.file, "%s", asError(err).Message)
					continue
				}
			}
			p.d.Details.Successes = append(p.d.Details.Successes, deployMessage{ComponentType: c.kind, FullName: c.name, FileName: c.file, Success: true, Created: created})
		}
	}
	p.d.Failed, p.d.Deployed = len(p.d.Details.Failures), len(p.d.Details.Successes)
	p.d.Success, p.d.Status = p.d.Failed == 0, "Succeeded"
	if !p.d.Success {
		p.d.Status, p.d.Deployed, p.d.Details.Successes = "Failed", 0, []deployMessage{}
	}
}

// ordered puts fields before what grants them.
func (p *parcel) ordered() []packed {
	list := slices.Clone(p.components)
	slices.SortStableFunc(list, func(a, b packed) int {
		return rank(b.kind == "CustomField") - rank(a.kind == "CustomField")
	})
	return list
}

// errNoManifest is in the org's own words.
var errNoManifest = &Error{Code: "INVALID_PACKAGE", Message: "No package.xml found"}

// unzip finds the files beside package.xml, wherever that stands in the archive.
func (p *parcel) unzip(archive []byte) error {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return errors.New("the file is no zip archive")
	}
	root := ""
	found := false
	for _, f := range z.File {
		if path.Base(f.Name) == "package.xml" && (!found || len(f.Name) < len(root)) {
			root, found = strings.TrimSuffix(f.Name, "package.xml"), true
		}
	}
	if !found {
		return errNoManifest
	}
	total := 0
	for _, f := range z.File {
		name, below := strings.CutPrefix(f.Name, root)
		if !below || f.FileInfo().IsDir() {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return fmt.Errorf("%s cannot be read", f.Name)
		}
		text, err := io.ReadAll(io.LimitReader(in, maxBody))
		in.Close()
		if total += len(text); err != nil || total > maxBody {
			return fmt.Errorf("%s cannot be read", f.Name)
		}
		p.files[name] = text
	}
	return nil
}

// objectFile are the parts of an object that are components by themselves.
type objectFile struct {
	Fields    []component `xml:"fields"`
	ListViews []struct {
		FullName string `xml:"fullName"`
		Label    string `xml:"label"`
	} `xml:"listViews"`
}

// read finds the components of a file.
func (p *parcel) read(file string) {
	if file == "package.xml" {
		return
	}
	folder, rest, _ := strings.Cut(file, "/")
	known, ok := packageFolders[folder]
	if !ok || rest == "" {
		p.fail("", file, file, "Unknown folder: %s", folder)
		return
	}
	if strings.HasSuffix(file, ".xml") || known.suffix != "" {
		if err := wellFormed(p.files[file]); err != nil {
			p.fail(known.kind, rest, file, "Error parsing file: %s", err)
			return
		}
	}
	if known.suffix == "" { // a bundle: its folder is the component
		name, _, _ := strings.Cut(rest, "/")
		if !slices.ContainsFunc(p.components, func(c packed) bool { return c.kind == known.kind && c.name == name }) {
			p.components = append(p.components, packed{kind: known.kind, name: name, file: file})
		}
		return
	}
	name, isFile := strings.CutSuffix(rest, known.suffix)
	if !isFile {
		if name, isFile = strings.CutSuffix(rest, "-meta.xml"); !isFile || known.kind != "Report" && known.kind != "Dashboard" {
			p.fail(known.kind, rest, file, "a file in %s ends in %s", folder, known.suffix)
			return
		}
	} else if parent, _, nested := strings.Cut(name, "/"); nested && p.files[folder+"/"+parent+"-meta.xml"] == nil {
		p.fail(known.kind, name, file, "No such folder: %s", parent)
		return
	}
	switch known.kind {
	case "CustomObject":
		p.readObject(file, name)
	case "PermissionSet":
		set := &component{}
		if err := xml.Unmarshal(p.files[file], set); err != nil {
			p.fail(known.kind, name, file, "Error parsing file: %s", err)
			return
		}
		set.Kind, set.FullName = known.kind, name
		p.components = append(p.components, packed{known.kind, name, file, set})
	default:
		p.components = append(p.components, packed{kind: known.kind, name: name, file: file})
	}
}

func (p *parcel) readObject(file, object string) {
	if p.s.objects[lower(object)] == nil {
		p.fail("CustomObject", object, file, "no CustomObject named %s found", object)
		return
	}
	var in objectFile
	if err := xml.Unmarshal(p.files[file], &in); err != nil {
		p.fail("CustomObject", object, file, "Error parsing file: %s", err)
		return
	}
	for i := range in.Fields {
		c := &in.Fields[i]
		c.Kind, c.FullName = "CustomField", object+"."+c.FullName
		p.components = append(p.components, packed{"CustomField", c.FullName, file, c})
	}
	for _, l := range in.ListViews {
		if l.Label == "" {
			p.fail("ListView", object+"."+l.FullName, file, "Required field is missing: label")
		}
		p.components = append(p.components, packed{kind: "ListView", name: object + "." + l.FullName, file: file})
	}
}

// list holds the components against package.xml: each stands in both.
func (p *parcel) list() {
	var manifest struct {
		Types []struct {
			Members []string `xml:"members"`
			Name    string   `xml:"name"`
		} `xml:"types"`
	}
	if err := xml.Unmarshal(p.files["package.xml"], &manifest); err != nil {
		p.fail("", "package.xml", "package.xml", "Error parsing file: %s", err)
		return
	}
	listed := map[[2]string]bool{}
	for _, t := range manifest.Types {
		for _, name := range t.Members {
			kind := t.Name
			if kind == "ReportFolder" || kind == "DashboardFolder" {
				kind = strings.TrimSuffix(kind, "Folder")
			}
			name = strings.TrimSuffix(name, "/") // of folders, as Salesforce's own tools write them
			listed[[2]string{kind, name}] = true
			there := slices.ContainsFunc(p.components, func(c packed) bool {
				return c.kind == kind && c.name == name || kind == "CustomObject" && strings.HasPrefix(c.name, name+".")
			})
			if !there && name != "*" {
				p.fail(t.Name, name, "package.xml", "An object '%s' of type %s was named in package.xml, but was not found in zipped directory", name, t.Name)
			}
		}
	}
	for _, c := range p.components {
		object, _, _ := strings.Cut(c.name, ".")
		if !listed[[2]string{c.kind, c.name}] && !listed[[2]string{c.kind, "*"}] && !listed[[2]string{"CustomObject", object}] {
			p.fail(c.kind, c.name, c.file, "Not in package.xml")
		}
	}
}

// wellFormed reads XML to its end.
func wellFormed(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	depth, elements := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && elements > 0 {
			return nil
		}
		if err != nil {
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				elements++
			}
		case xml.EndElement:
			depth--
		}
		if elements > 1 {
			return errors.New("more than one root element")
		}
	}
}
