// Package wording says in Japanese what the program made in English: reasons of
// rejects, notes of runs, faults and what to do about them. What is stored and
// logged stays the English sentence; pages and notices show In of it.
//
// The catalogue maps the very formats of the code to Japanese. A sentence is
// matched against them, and its values are put into the Japanese one
// (docs/decisions/0144).
package wording
