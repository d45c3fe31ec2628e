package store

// Slice makes folds take small slices of what arrived.
func (s *Store) Slice(activities int, size int64) {
	s.slice = slice{size: size, activities: activities}
}
