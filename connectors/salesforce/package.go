package salesforce

import (
	"bytes"
	"embed"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"energyd/connectors"
	"energyd/internal/fault"
)

//go:embed package
var packageTemplates embed.FS

// PackageFields writes a project in SFDX source format: the fields that found
// does not show, both permission sets, list views, reports, a component for
// record pages, the manifest and a README; salesforce.md section 17, C67, C68.
// dir may be new, empty, or hold an older package, which is replaced.
func (c *Conn) PackageFields(dir string, want connectors.SetUp, found connectors.FieldPlan) ([]string, error) {
	if err := unfitFields(found); err != nil {
		return nil, err
	}
	p := sfdx{version: strings.TrimPrefix(c.cfg.APIVersion, "v"), want: want, files: map[string][]byte{}, members: map[string][]string{}}
	for _, f := range found.Fields {
		if f.Standing == connectors.FieldMissing || f.Standing == connectors.FieldUnseen {
			p.missing = append(p.missing, f.NewField)
		}
	}
	if err := p.fill(c.cfg.URL); err != nil {
		return nil, fault.New(fault.Internal, "write the package", "a file of it cannot be made", "report this", err)
	}
	files := slices.Sorted(maps.Keys(p.files))
	if err := p.write(dir, files); err != nil {
		return nil, err
	}
	return files, nil
}

// sfdx is a package in the making.
type sfdx struct {
	version string // "66.0"
	want    connectors.SetUp
	missing []connectors.NewField
	files   map[string][]byte   // by name relative to the package's folder
	members map[string][]string // of the manifest, by metadata type
}

// Names inside the package.
const (
	metadataRoot = "force-app/main/default/"
	reportFolder = "Energyd"
	component    = "energydRecord"
	projectFile  = "sfdx-project.json"
)

func (p *sfdx) fill(url string) error {
	for _, step := range []func() error{p.fields, p.permissionSets, p.lists, p.reports, p.component, p.manifest} {
		if err := step(); err != nil {
			return err
		}
	}
	project, err := json.MarshalIndent(map[string]any{
		"packageDirectories": []any{map[string]any{"path": "force-app", "default": true}},
		"name":               "energyd", "namespace": "", "sourceApiVersion": p.version,
	}, "", "  ")
	if err != nil {
		return err
	}
	p.files[projectFile] = append(project, '\n')
	return p.text("README.md", "README.md.tmpl", map[string]any{
		"URL": url, "Fields": p.missing, "All": p.want.Fields, "Lists": p.want.Lists, "Reports": p.want.Reports,
		"Integration": integrationSet, "Reader": readerSet, "Folder": reportFolder, "Component": component,
		"IntegrationLabel": setTexts[integrationSet][p.want.Language][0], "ReaderLabel": setTexts[readerSet][p.want.Language][0],
		"ComponentLabel": componentLabel[p.want.Language],
	})
}

const namespace = "http://soap.sforce.com/2006/04/metadata"

// metadata puts a metadata file into the package and its name into the manifest.
func (p *sfdx) metadata(kind, member, file string, content any) error {
	b, err := xml.MarshalIndent(content, "", "    ")
	if err != nil {
		return err
	}
	p.files[metadataRoot+file] = append(append([]byte(xml.Header), b...), '\n')
	p.members[kind] = append(p.members[kind], member)
	return nil
}

// text puts a file made by a template into the package.
func (p *sfdx) text(file, name string, data any) error {
	t, err := template.New(name).Funcs(template.FuncMap{"html": html.EscapeString}).ParseFS(packageTemplates, "package/"+name)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return err
	}
	p.files[file] = b.Bytes()
	return nil
}

func (p *sfdx) fields() error {
	for _, f := range p.missing {
		type customField struct {
			XMLName struct{} `xml:"http://soap.sforce.com/2006/04/metadata CustomField"`
			fieldMetadata
		}
		m := metadata(f, p.want.Language)
		m.FullName = f.Name
		err := p.metadata("CustomField", f.Object+"."+f.Name, "objects/"+f.Object+"/fields/"+f.Name+".field-meta.xml", customField{fieldMetadata: m})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *sfdx) permissionSets() error {
	type fieldPermission struct {
		Editable bool   `xml:"editable"`
		Field    string `xml:"field"`
		Readable bool   `xml:"readable"`
	}
	type permissionSet struct {
		XMLName     struct{}          `xml:"http://soap.sforce.com/2006/04/metadata PermissionSet"`
		Description string            `xml:"description"`
		Fields      []fieldPermission `xml:"fieldPermissions"`
		Activation  bool              `xml:"hasActivationRequired"`
		Label       string            `xml:"label"`
	}
	for _, name := range []string{integrationSet, readerSet} {
		texts := setTexts[name][p.want.Language]
		set := permissionSet{Description: texts[1], Label: texts[0]}
		for _, f := range p.want.Fields {
			if f.Confidential && name == readerSet {
				continue
			}
			set.Fields = append(set.Fields, fieldPermission{Editable: name == integrationSet, Field: f.Object + "." + f.Name, Readable: true})
		}
		slices.SortFunc(set.Fields, func(a, b fieldPermission) int { return strings.Compare(a.Field, b.Field) })
		if err := p.metadata("PermissionSet", name, "permissionsets/"+name+".permissionset-meta.xml", set); err != nil {
			return err
		}
	}
	return nil
}

// viewColumns are the columns of a list view that say which record it is, in
// the words that list views have for standard fields.
var viewColumns = map[string][]string{
	"Account": {"ACCOUNT.NAME", "CORE.USERS.ALIAS"},
	"Contact": {"FULL_NAME", "ACCOUNT.NAME", "CORE.USERS.ALIAS"},
}

func (p *sfdx) lists() error {
	type filter struct {
		Field     string `xml:"field"`
		Operation string `xml:"operation"`
		Value     string `xml:"value"`
	}
	type listView struct {
		XMLName  struct{} `xml:"http://soap.sforce.com/2006/04/metadata ListView"`
		FullName string   `xml:"fullName"`
		Columns  []string `xml:"columns"`
		Scope    string   `xml:"filterScope"`
		Filters  []filter `xml:"filters"`
		Label    string   `xml:"label"`
	}
	for _, l := range p.want.Lists {
		columns, ok := viewColumns[l.Object]
		if !ok {
			columns = []string{"NAME"} // of custom objects
		}
		f := filter{l.Field, "equals", l.Equals}
		if strings.Contains(l.Equals, ",") {
			f.Value = `"` + l.Equals + `"` // else each part is a value of its own
		}
		if l.WithinDays > 0 {
			f.Operation, f.Value = "lessOrEqual", fmt.Sprintf("NEXT_N_DAYS:%d", l.WithinDays)
		}
		err := p.metadata("ListView", l.Object+"."+l.Name, "objects/"+l.Object+"/listViews/"+l.Name+".listView-meta.xml", listView{
			FullName: l.Name, Columns: slices.Concat(columns, l.Columns), Scope: "Everything", Filters: []filter{f}, Label: l.Label,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// reportTypes are the standard report types that energyd's reports are of, with
// the columns that say which record it is.
var reportTypes = map[string]struct {
	name    string
	columns []string
}{
	"Account": {"AccountList", []string{"ACCOUNT.NAME", "USERS.NAME"}},
	"Contact": {"ContactList", []string{"LAST_NAME", "FIRST_NAME", "ACCOUNT.NAME"}},
}

func (p *sfdx) reports() error {
	type column struct {
		Field string `xml:"field"`
	}
	type grouping struct {
		Granularity string `xml:"dateGranularity"`
		Field       string `xml:"field"`
		Order       string `xml:"sortOrder"`
	}
	type timeFrame struct {
		Column   string `xml:"dateColumn"`
		Interval string `xml:"interval"`
	}
	type report struct {
		XMLName     struct{}   `xml:"http://soap.sforce.com/2006/04/metadata Report"`
		Columns     []column   `xml:"columns"`
		Description string     `xml:"description,omitempty"`
		Format      string     `xml:"format"`
		Groupings   []grouping `xml:"groupingsDown"`
		Name        string     `xml:"name"`
		Type        string     `xml:"reportType"`
		Scope       string     `xml:"scope"`
		Details     bool       `xml:"showDetails"`
		SortColumn  string     `xml:"sortColumn"`
		SortOrder   string     `xml:"sortOrder"`
		TimeFrame   timeFrame  `xml:"timeFrameFilter"`
	}
	type folder struct {
		XMLName struct{} `xml:"http://soap.sforce.com/2006/04/metadata ReportFolder"`
		Name    string   `xml:"name"`
	}
	made := false
	for _, r := range p.want.Reports {
		t, ok := reportTypes[r.Object]
		if !ok {
			continue // custom objects have report types of their own making
		}
		if !made {
			// A folder stands in the manifest among its reports, before them.
			if err := p.metadata("Report", reportFolder, "reports/"+reportFolder+".reportFolder-meta.xml", folder{Name: "energyd"}); err != nil {
				return err
			}
			made = true
		}
		out := report{Description: r.Help, Format: "Tabular", Name: r.Label, Type: t.name, Scope: "organization", Details: true,
			SortColumn: r.Object + "." + r.Sort, SortOrder: "Desc", TimeFrame: timeFrame{"CREATED_DATE", "INTERVAL_CUSTOM"}} // of all times
		for _, c := range t.columns {
			out.Columns = append(out.Columns, column{c})
		}
		for _, c := range r.Columns {
			if c != r.Group {
				out.Columns = append(out.Columns, column{r.Object + "." + c})
			}
		}
		if r.Group != "" {
			out.Format = "Summary"
			out.Groupings = []grouping{{"Day", r.Object + "." + r.Group, "Asc"}} // the granularity is written for texts too
		}
		if err := p.metadata("Report", reportFolder+"/"+r.Name, "reports/"+reportFolder+"/"+r.Name+".report-meta.xml", out); err != nil {
			return err
		}
	}
	return nil
}

var componentLabel = map[string]string{"ja": "energyd 温度", "en": "energyd energy"}

// component is a Lightning web component that an administrator puts on record
// pages: it shows the fields, and changes no page by itself (decision 0037).
func (p *sfdx) component() error {
	type section struct {
		Object, Getter string
		Fields         []string
	}
	var sections []section
	for _, f := range p.want.Fields {
		if f.Confidential {
			continue
		}
		i := slices.IndexFunc(sections, func(s section) bool { return s.Object == f.Object })
		if i < 0 {
			i = len(sections)
			sections = append(sections, section{Object: f.Object, Getter: "is" + strings.ReplaceAll(developerName(f.Object), "_", "")})
		}
		sections[i].Fields = append(sections[i].Fields, f.Name)
	}
	if len(sections) == 0 {
		return nil
	}
	type targetConfig struct {
		Targets string   `xml:"targets,attr"`
		Objects []string `xml:"objects>object"`
	}
	bundle := struct {
		XMLName     struct{}       `xml:"http://soap.sforce.com/2006/04/metadata LightningComponentBundle"`
		APIVersion  string         `xml:"apiVersion"`
		Description string         `xml:"description"`
		Exposed     bool           `xml:"isExposed"`
		Label       string         `xml:"masterLabel"`
		Targets     []string       `xml:"targets>target"`
		Configs     []targetConfig `xml:"targetConfigs>targetConfig"`
	}{APIVersion: p.version, Description: ours[p.want.Language], Exposed: true, Label: componentLabel[p.want.Language], Targets: []string{"lightning__RecordPage"}}
	config := targetConfig{Targets: "lightning__RecordPage"}
	for _, s := range sections {
		config.Objects = append(config.Objects, s.Object)
	}
	bundle.Configs = []targetConfig{config}
	folder := "lwc/" + component + "/" + component
	if err := p.metadata("LightningComponentBundle", component, folder+".js-meta.xml", bundle); err != nil {
		return err
	}
	data := map[string]any{"Title": map[string]string{"ja": "温度", "en": "Energy"}[p.want.Language], "Sections": sections}
	if err := p.text(metadataRoot+folder+".html", "component.html.tmpl", data); err != nil {
		return err
	}
	return p.text(metadataRoot+folder+".js", "component.js.tmpl", data)
}

func (p *sfdx) manifest() error {
	type types struct {
		Members []string `xml:"members"`
		Name    string   `xml:"name"`
	}
	m := struct {
		XMLName struct{} `xml:"http://soap.sforce.com/2006/04/metadata Package"`
		Types   []types  `xml:"types"`
		Version string   `xml:"version"`
	}{Version: p.version}
	for _, kind := range slices.Sorted(maps.Keys(p.members)) {
		m.Types = append(m.Types, types{slices.Sorted(slices.Values(p.members[kind])), kind})
	}
	b, err := xml.MarshalIndent(m, "", "    ")
	p.files["manifest/package.xml"] = append(append([]byte(xml.Header), b...), '\n')
	return err
}

// write puts the files into dir. A folder that holds anything but an older package of ours is refused.
func (p *sfdx) write(dir string, files []string) error {
	const op = "write the package"
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Config, op, "the folder cannot be read", "name a folder that energyd may write to", err)
	}
	if len(entries) > 0 {
		if old, err := os.ReadFile(filepath.Join(dir, projectFile)); err != nil || !bytes.Contains(old, []byte(`"name": "energyd"`)) {
			return fault.New(fault.Config, op, dir+" holds other files", "name a new or an empty folder", nil)
		}
		for _, ours := range []string{"force-app", "manifest"} {
			if err := os.RemoveAll(filepath.Join(dir, ours)); err != nil {
				return fault.New(fault.Config, op, "the older package cannot be replaced", "name a folder that energyd may write to", err)
			}
		}
	}
	for _, name := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(file), 0o755)
		if err == nil {
			err = os.WriteFile(file, p.files[name], 0o644)
		}
		if err != nil {
			return fault.New(fault.Config, op, path.Base(name)+" cannot be written", "name a folder that energyd may write to", err)
		}
	}
	return nil
}
