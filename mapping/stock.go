package mapping

// stock gives values out of arrays that many of them share: an activity and its
// lists of one item, as nearly all are, cost no allocation of their own.
type stock[T any] struct{ free []T }

// stocked is how many values share an array, which lives as long as any of them.
const stocked = 64

// next gives a zero value.
func (s *stock[T]) next() *T { return &s.list()[0] }

// add appends to a list that began as nil.
func (s *stock[T]) add(list []T, v T) []T {
	if list != nil {
		return append(list, v)
	}
	list = s.list()
	list[0] = v
	return list
}

// list gives a list of one zero value and no room for more.
func (s *stock[T]) list() []T {
	if len(s.free) == 0 {
		s.free = make([]T, stocked)
	}
	list := s.free[:1:1]
	s.free = s.free[1:]
	return list
}
