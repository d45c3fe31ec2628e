package engine

import "math"

// assignLimit bounds n·m of an exact assignment; days beyond it are no days of sales people.
const assignLimit = 64 * 64

// assign pairs each of m with one of n at most, and none twice: as many as can
// be, and of all ways to do so one of the least sum of costs. cost tells of a pair
// whether it is allowed. The answer holds for each of m its partner, -1 = none.
// With n·m beyond assignLimit it is a good assignment, not the best one.
func assign(n, m int, cost func(i, j int) (int, bool)) []int {
	if n*m > assignLimit {
		return assignInOrder(n, m, cost)
	}
	partner := make([]int, m)
	for j := range partner {
		partner[j] = -1
	}
	if min(n, m) <= 1 { // nearly always
		at, least := -1, math.MaxInt
		for k := range n * m {
			if x, ok := cost(k/m, k%m); ok && x < least {
				at, least = k, x
			}
		}
		if at >= 0 {
			partner[at%m] = at / m
		}
		return partner
	}
	const forbidden = math.MaxInt32 // more than all costs together
	rows, columns := min(n, m), max(n, m)
	costs := make([]int, rows*columns)
	allowed := false
	for r := range rows {
		for s := range columns {
			i, j := r, s
			if n > m {
				i, j = s, r
			}
			costs[r*columns+s] = forbidden
			if x, ok := cost(i, j); ok {
				costs[r*columns+s], allowed = x, true
			}
		}
	}
	if !allowed {
		return partner
	}
	for s, r := range hungarian(rows, columns, costs) {
		switch {
		case r < 0 || costs[r*columns+s] == forbidden:
		case n > m:
			partner[r] = s
		default:
			partner[s] = r
		}
	}
	return partner
}

// hungarian gives each column its row, -1 = none, in the assignment of all rows
// to columns of the least sum (Kuhn 1955, by shortest augmenting paths in
// O(rows²·columns)). There are no more rows than columns.
func hungarian(rows, columns int, costs []int) []int {
	// Row and column 0 are outside: rows and columns of costs count from 1 here.
	rowPrice, columnPrice := make([]int, rows+1), make([]int, columns+1)
	row, from := make([]int, columns+1), make([]int, columns+1) // of each column its row, and the column before it on the path
	least, done := make([]int, columns+1), make([]bool, columns+1)
	for r := 1; r <= rows; r++ {
		row[0] = r
		clear(done)
		for j := range least {
			least[j] = math.MaxInt
		}
		at := 0
		for row[at] != 0 {
			done[at] = true
			step, next := math.MaxInt, 0
			for j := 1; j <= columns; j++ {
				if done[j] {
					continue
				}
				if x := costs[(row[at]-1)*columns+j-1] - rowPrice[row[at]] - columnPrice[j]; x < least[j] {
					least[j], from[j] = x, at
				}
				if least[j] < step {
					step, next = least[j], j
				}
			}
			for j := range done {
				if done[j] {
					rowPrice[row[j]] += step
					columnPrice[j] -= step
				} else {
					least[j] -= step
				}
			}
			at = next
		}
		for at != 0 {
			row[at], at = row[from[at]], from[at]
		}
	}
	rowOf := make([]int, columns)
	for j := range rowOf {
		rowOf[j] = row[j+1] - 1
	}
	return rowOf
}

// assignInOrder gives each of m the nearest of the next ones of n that are free, in linear time.
func assignInOrder(n, m int, cost func(i, j int) (int, bool)) []int {
	const ahead = 64
	taken := make([]bool, n)
	partner := make([]int, m)
	free := 0
	for j := range partner {
		partner[j] = -1
		least := math.MaxInt
		for i, seen := free, 0; i < n && seen < ahead; i++ {
			if taken[i] {
				continue
			}
			seen++
			if x, ok := cost(i, j); ok && x < least {
				partner[j], least = i, x
			}
		}
		if partner[j] >= 0 {
			taken[partner[j]] = true
		} else {
			free++ // what none wanted is not looked at forever
		}
		for free < n && taken[free] {
			free++
		}
	}
	return partner
}
