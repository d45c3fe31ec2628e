package store

import (
	"context"
	"fmt"
	"math"

	"github.com/jmoiron/sqlx"
)

// walk goes along the beginnings of a table's rows, and looks a page ahead: a
// slice of a large first pull touches one range of the rows only.
type walk struct {
	ctx    context.Context
	tx     *sqlx.Tx
	table  string
	firsts []int64 // the row at hand, then those that follow
	end    bool    // no others follow
}

const walkPage = 1024

// begin goes to the row that a signed hash falls into; empty when there is none at all.
func (w *walk) begin(hash int64) (empty bool, err error) {
	err = w.tx.SelectContext(w.ctx, &w.firsts, w.tx.Rebind("SELECT first FROM "+w.table+" WHERE first <= ? ORDER BY first DESC LIMIT 1"), hash)
	if err == nil && len(w.firsts) == 0 {
		w.firsts, w.end = []int64{math.MinInt64}, true
		return true, nil
	}
	return false, err
}

// to goes on to the row that a signed hash falls into. The row after it is known
// then, before anybody splits the one at hand.
func (w *walk) to(hash int64) error {
	for {
		for len(w.firsts) > 1 && w.firsts[1] <= hash {
			w.firsts = w.firsts[1:]
		}
		if w.end || len(w.firsts) > 1 {
			return nil
		}
		var more []int64
		err := w.tx.SelectContext(w.ctx, &more, w.tx.Rebind(fmt.Sprintf("SELECT first FROM %s WHERE first > ? ORDER BY first LIMIT %d", w.table, walkPage)), w.firsts[0])
		if err != nil {
			return err
		}
		w.firsts, w.end = append(w.firsts[:1:1], more...), len(more) < walkPage
	}
}

func (w *walk) first() int64 { return w.firsts[0] }

// holds tells whether a signed hash, not before the row at hand, falls into it.
func (w *walk) holds(hash int64) bool { return len(w.firsts) == 1 || hash < w.firsts[1] }
