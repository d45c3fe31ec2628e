package crmsim

import (
	"slices"
	"strconv"
	"strings"

	"energyd/internal/crmsim/soql"
)

// below is a column that holds the child rows of each row:
// (SELECT LastName FROM Contacts).
type below struct {
	plan     *plan
	column   int                  // the children's reference to the row
	children map[string][]*record // of the rows on one page, by the row's id
}

// compileBelow finds the children that the relationship in FROM names.
func (s *Server) compileBelow(p *plan, q *soql.Query) (*column, error) {
	if q.Count {
		return nil, q.Errorf(soql.Malformed, q.From.Pos, "aggregate functions are not supported in a nested query")
	}
	name := q.From.String()
	for _, child := range s.order {
		if s.seen(child.name) == nil || !strings.EqualFold(child.relationship(), name) {
			continue
		}
		i := childColumn(child, p.obj)
		if i < 0 {
			continue
		}
		of, err := s.compileQuery(q, child)
		if err != nil {
			return nil, err
		}
		return &column{name: child.relationship(), below: &below{plan: of, column: i}}, nil
	}
	return nil, q.Errorf("INVALID_TYPE", q.From.Pos, "Didn't understand relationship '%s' in FROM part of query call. If you are attempting to use a custom relationship, "+
		"be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", name)
}

// childColumn is the reference by which rows of an object are the children of
// another one's: the first of several. -1 without any.
func childColumn(child, parent *object) int {
	return slices.IndexFunc(child.fields, func(f *Field) bool {
		return f.visible() && f.Relationship != "" && f.Name != "CreatedById" && f.Name != "LastModifiedById" && slices.Contains(f.ReferenceTo, parent.name)
	})
}

// relationship is how a parent's queries name the rows of an object: "OpportunityContactRoles".
func (o *object) relationship() string { return strings.ReplaceAll(o.plural, " ", "") }

// withChildren gives the columns with the children that the rows of one page need.
func (s *Server) withChildren(columns []column, rows []*record, all bool) []column {
	if !slices.ContainsFunc(columns, func(c column) bool { return c.below != nil }) {
		return columns
	}
	columns = slices.Clone(columns)
	for i, c := range columns {
		if c.below == nil {
			continue
		}
		filled := below{plan: c.below.plan, column: c.below.column, children: make(map[string][]*record, len(rows))}
		for _, r := range rows {
			filled.children[r.id()] = nil
		}
		for _, r := range s.matching(filled.plan, all) {
			parent, _ := r.value(filled.column).(string)
			if list, asked := filled.children[parent]; asked {
				filled.children[parent] = append(list, r)
			}
		}
		columns[i].below = &filled
	}
	return columns
}

// appendChildren writes the children of a row as a result of their own; null when there are none.
func (s *Server) appendChildren(b []byte, root string, of *below, parent *record) []byte {
	rows := s.ordered(of.plan, of.children[parent.id()])
	if len(rows) == 0 {
		return append(b, "null"...)
	}
	b = append(b, `{"totalSize":`+strconv.Itoa(len(rows))+`,"done":true,"records":[`...)
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.appendRow(b, root, of.plan.obj.name, of.plan.columns, r, r)
	}
	return append(b, "]}"...)
}
