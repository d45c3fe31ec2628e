package survey

// KindOf gives the kind of the points table, and whose act it was ("inbound", "outbound", "mutual"), that a system's own
// word for a contact means: メール送信 → mail, outbound. Either is "" where the word does not tell.
func (l *Lexicon) KindOf(word string) (kind, direction string) {
	kind, _, _ = l.kinds.of(word)
	direction, _, _ = l.directions.of(word)
	return kind, direction
}
