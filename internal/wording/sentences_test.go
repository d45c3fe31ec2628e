package wording

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"
)

// shownFields are what pages and notices show of texts: whatever the code puts there is a sentence to be translated.
var shownFields = map[string][]string{
	"energyd/internal/fault.Error":           {"Msg", "Hint"},
	"energyd/connectors.Reject":              {"Reason"},
	"energyd/mapping.RejectError":            {"Reason"},
	"energyd/internal/store.Alert":           {"Because", "ToDo"},
	"energyd/internal/pipeline.Report":       {"Notes", "Warnings"},
	"energyd/internal/pipeline.SourceReport": {"Error"},
	"energyd/internal/pipeline.Status":       {"Advice", "Quality"},
	"energyd/internal/web.pointsTable":       {"Warnings"},
	"energyd/internal/web.configuration":     {"Warnings"},
	"energyd/mapping/matching.Proposal":      {"Reason"},
}

// elsewhere are packages whose faults only a command tells, on a terminal or in the log of a start.
var elsewhere = []string{"energyd/cmd/", "energyd/internal/crmsim", "energyd/internal/demo", "energyd/internal/winservice", "energyd/internal/adversity",
	"energyd/internal/test", "energyd/internal/review", "energyd/internal/report", "energyd/internal/support", "energyd/internal/survey", "energyd/internal/config", "energyd/internal/schedule", "energyd/internal/expression", "energyd/scripts", "energyd/connectors/connectortest"}

// causes are packages whose plain errors become reasons of rejects word for word.
var causes = []string{"energyd/mapping", "energyd/mapping/freetext", "energyd/internal/expression"}

// sentences are the formats of all texts of the program that reach a page or a notice, each with a place where it is made.
var sentences = sync.OnceValues(func() (map[string]token.Position, error) {
	files := token.NewFileSet()
	pkgs, err := packages.Load(&packages.Config{Fset: files, Dir: "../..",
		Mode: packages.NeedName | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedFiles}, "./...")
	if err != nil {
		return nil, err
	}
	r := &reading{files: files, found: map[string]token.Position{}, puts: map[types.Object][]put{}, returns: map[types.Object][]*ast.ReturnStmt{},
		of: map[*ast.ReturnStmt]*packages.Package{}, seen: map[types.Object]bool{}, owner: map[types.Object]parameter{}}
	for _, p := range pkgs {
		if len(p.Errors) > 0 {
			return nil, p.Errors[0]
		}
		r.index(p)
		if p.PkgPath == "energyd/internal/fault" {
			s := p.Types.Scope().Lookup("Problem").Type().Underlying().(*types.Struct)
			for i := range s.NumFields() {
				r.problem = append(r.problem, s.Field(i))
			}
		}
	}
	r.collect(pkgs)
	return r.found, nil
})

// put is an expression that is assigned to a variable or field, or given for a parameter.
type put struct {
	pkg *packages.Package
	at  ast.Expr
	nth int // of a call's results
}

type parameter struct {
	function types.Object
	nth      int
}

// reading follows texts from where they are shown back to where they are written.
type reading struct {
	files   *token.FileSet
	found   map[string]token.Position
	puts    map[types.Object][]put // by variable, field or parameter
	returns map[types.Object][]*ast.ReturnStmt
	of      map[*ast.ReturnStmt]*packages.Package
	seen    map[types.Object]bool
	owner   map[types.Object]parameter
	problem []types.Object // the fields of fault.Problem
}

// index notes what is put where in a package.
func (r *reading) index(p *packages.Package) {
	params := func(f types.Object, s *types.Signature) {
		for i := range s.Params().Len() {
			r.owner[s.Params().At(i)] = parameter{f, i}
		}
	}
	own := map[*ast.BlockStmt]types.Object{}
	for _, file := range p.Syntax {
		var open []types.Object
		var walk func(n ast.Node) bool
		inside := func(f types.Object, body *ast.BlockStmt) {
			open = append(open, f)
			ast.Inspect(body, walk)
			open = open[:len(open)-1]
		}
		assign := func(to, from ast.Expr, nth int) {
			if o := object(p, to); o != nil {
				if lit, is := from.(*ast.FuncLit); is {
					own[lit.Body] = o
				}
				r.puts[o] = append(r.puts[o], put{p, from, nth})
			}
		}
		walk = func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if f := p.TypesInfo.Defs[n.Name]; n.Body != nil {
					params(f, f.Type().(*types.Signature))
					inside(f, n.Body)
					return false
				}
			case *ast.FuncLit:
				if f := own[n.Body]; f != nil {
					params(f, p.TypesInfo.TypeOf(n).(*types.Signature))
				}
				inside(own[n.Body], n.Body)
				return false
			case *ast.ReturnStmt:
				if f := open[len(open)-1]; f != nil {
					r.returns[f] = append(r.returns[f], n)
					r.of[n] = p
				}
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					if len(n.Rhs) == len(n.Lhs) {
						assign(to, n.Rhs[i], 0)
					} else {
						assign(to, n.Rhs[0], i)
					}
				}
			case *ast.ValueSpec:
				for i, to := range n.Names {
					if len(n.Values) == len(n.Names) {
						assign(to, n.Values[i], 0)
					} else if len(n.Values) == 1 {
						assign(to, n.Values[0], i)
					}
				}
			case *ast.CompositeLit:
				s, is := under(p.TypesInfo.TypeOf(n)).(*types.Struct)
				for i, e := range n.Elts {
					if kv, named := e.(*ast.KeyValueExpr); named && is {
						assign(kv.Key, kv.Value, 0)
					} else if is {
						r.puts[s.Field(i)] = append(r.puts[s.Field(i)], put{p, e, 0})
					}
				}
			case *ast.CallExpr:
				if f := object(p, n.Fun); f != nil {
					for i, a := range n.Args {
						r.puts[f] = append(r.puts[f], put{p, a, i})
					}
				}
			}
			return true
		}
		ast.Inspect(file, walk)
	}
}

func under(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	if p, is := t.Underlying().(*types.Pointer); is {
		t = p.Elem()
	}
	return t.Underlying()
}

// object is what a name, a field or a called function is.
func object(p *packages.Package, e ast.Expr) types.Object {
	switch e := e.(type) {
	case *ast.Ident:
		return p.TypesInfo.ObjectOf(e)
	case *ast.SelectorExpr:
		return p.TypesInfo.ObjectOf(e.Sel)
	case *ast.ParenExpr:
		return object(p, e.X)
	case *ast.IndexExpr:
		return object(p, e.X)
	}
	return nil
}

// collect begins where texts are shown.
func (r *reading) collect(pkgs []*packages.Package) {
	for _, p := range pkgs {
		for name, fields := range shownFields {
			at, typeName, _ := cutLast(name, ".")
			if p.PkgPath != at {
				continue
			}
			s := p.Types.Scope().Lookup(typeName).Type().Underlying().(*types.Struct)
			for i := range s.NumFields() {
				if slices.Contains(fields, s.Field(i).Name()) {
					r.follow(s.Field(i), false)
				}
			}
		}
		for _, s := range p.TypesInfo.Defs {
			if f, is := s.(*types.Func); is && f.Name() == "Error" && f.Signature().Recv() != nil && !outside(p) {
				r.fromReturns(f, 0)
			}
		}
		if !slices.Contains(causes, p.PkgPath) {
			continue
		}
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				if c, is := n.(*ast.CallExpr); is && len(c.Args) > 0 {
					switch name(p, c.Fun) {
					case "fmt.Errorf":
						r.take(p, c)
					case "errors.New":
						r.take(p, c.Args[0])
					}
				}
				return true
			})
		}
	}
}

func cutLast(s, sep string) (string, string, bool) {
	i := strings.LastIndex(s, sep)
	return s[:i], s[i+len(sep):], i >= 0
}

// follow takes all that is put into a variable, a field or a parameter.
func (r *reading) follow(o types.Object, isFormat bool) {
	if o == nil || r.seen[o] || r.told(o) {
		return
	}
	r.seen[o] = true
	puts := r.puts[o]
	if of, is := r.owner[o]; is {
		puts = append(puts, slices.DeleteFunc(slices.Clone(r.puts[of.function]), func(g put) bool { return g.nth != of.nth })...)
	}
	for _, g := range puts {
		if outside(g.pkg) {
			continue
		}
		r.takeNth(g.pkg, g.at, g.nth, isFormat)
	}
}

func outside(p *packages.Package) bool {
	return slices.ContainsFunc(elsewhere, func(path string) bool { return strings.HasPrefix(p.PkgPath, path) })
}

// told tells of fields that are not shown as they are: labels have both languages, and the problems of a
// file are read beside the file that somebody edits.
func (r *reading) told(o types.Object) bool {
	switch {
	case o.Name() == "En" || o.Name() == "Ja":
		return true
	case o.Pkg() != nil && o.Pkg().Path() == "energyd/internal/fault":
		return r.problem == nil || slices.Contains(r.problem, o)
	}
	return false
}

func (r *reading) takeNth(p *packages.Package, e ast.Expr, nth int, isFormat bool) {
	if c, is := e.(*ast.CallExpr); is {
		if f := object(p, c.Fun); f != nil && r.returns[f] != nil {
			r.fromReturns(f, nth)
			return
		}
	}
	for _, s := range r.formats(p, e) {
		if isFormat {
			s = strings.ReplaceAll(s, "%%", "%")
		}
		r.note(s, e)
	}
}

func (r *reading) fromReturns(f types.Object, nth int) {
	if bilingual(f) {
		return
	}
	for _, ret := range r.returns[f] {
		if nth < len(ret.Results) {
			r.take(r.of[ret], ret.Results[nth])
		}
	}
	r.returns[f] = r.returns[f][:0:0] // once
}

// bilingual functions say the same in both languages.
func bilingual(f types.Object) bool {
	return slices.Contains([]string{"in", "In", "say", "Say", "recordToDo", "changeToDo"}, f.Name())
}

// take notes the sentences that an expression makes.
func (r *reading) take(p *packages.Package, e ast.Expr) {
	for _, s := range r.formats(p, e) {
		r.note(s, e)
	}
}

func (r *reading) note(format string, e ast.Expr) {
	if _, known := r.found[format]; !known {
		r.found[format] = r.files.Position(e.Pos())
	}
}

// hole stands for what is known at run time only.
const hole = "%s"

// formats are the texts that an expression can be, with verbs for what varies. What goes into the holes is taken too.
func (r *reading) formats(p *packages.Package, e ast.Expr) []string {
	if v := p.TypesInfo.Types[e].Value; v != nil && v.Kind() == constant.String {
		return []string{strings.ReplaceAll(constant.StringVal(v), "%", "%%")}
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return r.formats(p, e.X)
	case *ast.BinaryExpr:
		var all []string
		for _, a := range r.formats(p, e.X) {
			for _, b := range r.formats(p, e.Y) {
				all = append(all, a+b)
			}
		}
		return all
	case *ast.CompositeLit:
		for _, el := range e.Elts {
			if kv, is := el.(*ast.KeyValueExpr); is {
				el = kv.Value
			}
			r.take(p, el)
		}
	case *ast.CallExpr:
		return r.ofCall(p, e)
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr:
		r.follow(object(p, e), false)
	}
	return []string{hole}
}

func (r *reading) ofCall(p *packages.Package, c *ast.CallExpr) []string {
	switch called := name(p, c.Fun); called {
	case "fmt.Sprintf", "fmt.Errorf":
		for _, a := range c.Args[1:] {
			if t := p.TypesInfo.TypeOf(a); t != nil && types.Identical(t.Underlying(), types.Typ[types.String]) {
				r.take(p, a)
			}
		}
		if o := object(p, c.Args[0]); o != nil && p.TypesInfo.Types[c.Args[0]].Value == nil {
			r.follow(o, true)
			return []string{hole}
		}
		var all []string
		for _, f := range r.formats(p, c.Args[0]) {
			all = append(all, strings.ReplaceAll(f, "%%", "%"))
		}
		return all
	case "append", "cmp.Or", "slices.Concat", "strings.TrimSpace", "strings.TrimSuffix":
		for _, a := range c.Args {
			r.take(p, a)
		}
	case "strings.Join":
		r.take(p, c.Args[0])
	default:
		if f := object(p, c.Fun); f != nil {
			r.fromReturns(f, 0)
		}
		if s, is := c.Fun.(*ast.SelectorExpr); is && s.Sel.Name == "partial" {
			return []string{hole}
		}
	}
	return []string{hole}
}

// name is a called function of the standard library: "fmt.Sprintf".
func name(p *packages.Package, e ast.Expr) string {
	o := object(p, e)
	if o == nil {
		return ""
	}
	if o.Pkg() == nil {
		return o.Name()
	}
	return o.Pkg().Path() + "." + o.Name()
}

var (
	words = regexp.MustCompile(`[A-Za-z]{2,}`)
	small = regexp.MustCompile(`\b[a-z]{2,}`)
)

// isSentence tells a sentence from a name, a permission as the CRM calls it, or SQL: it has two words between its holes, and small ones.
func isSentence(format string) bool {
	plain := verb.ReplaceAllString(format, " ")
	all := words.FindAllString(plain, -1)
	return strings.Contains(strings.TrimSpace(plain), " ") && len(all) >= 2 && !foreign.MatchString(plain) &&
		(len(small.FindAllString(plain, 2)) == 2 || all[0] == strings.ToLower(all[0]))
}

// foreign are SQL, names of permissions, and legal forms of companies.
var foreign = regexp.MustCompile(`GROUP BY|^View Setup|^Manage Profiles|ltd$|bhd$|co kg$|^sa de cv$|^sp z oo$`)
