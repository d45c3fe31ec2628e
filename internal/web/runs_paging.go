package web

import "strconv"

// paging is the part of a long list that is shown: ?page=2.
type paging struct {
	Page int  `json:"page"` // from 1
	More bool `json:"more"` // there is a page after this one
	size int
	at   func(page int) string // its address
}

// mostPages bounds how far a list can be leafed through: files have all of it.
const mostPages = 200

// paging reads which part of a list is asked for, of so many lines a page.
func (v *visit) paging(size int) paging {
	page, err := strconv.Atoi(v.query.Get("page"))
	if err != nil {
		page = 1
	}
	return paging{Page: min(max(page, 1), mostPages), size: size, at: func(page int) string {
		u := *v.request.URL
		q := u.Query()
		q.Set("page", strconv.Itoa(page))
		u.RawQuery = q.Encode()
		return u.RequestURI()
	}}
}

// need is how many lines tell what is on the page, and whether there are more.
func (p *paging) need() int { return p.Page*p.size + 1 }

// cut gives the lines of the page, of need() lines or of all.
func cut[T any](p *paging, all []T) []T {
	p.More = len(all) > p.Page*p.size && p.Page < mostPages
	from := min((p.Page-1)*p.size, len(all))
	return all[from:min(p.Page*p.size, len(all))]
}

// Before is the address of the page before; "" on the first.
func (p paging) Before() string {
	if p.Page <= 1 {
		return ""
	}
	return p.at(p.Page - 1)
}

// After is the address of the next page; "" on the last.
func (p paging) After() string {
	if !p.More {
		return ""
	}
	return p.at(p.Page + 1)
}
