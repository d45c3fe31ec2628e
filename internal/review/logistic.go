package review

import "math"

// logistic is a penalised logistic regression with bounds:
//
//	minimise −Σ weight·loglik + ½ penalty Σ (b_j − anchor_j)²   with b_j ≥ 0
//
// over an intercept, which is free, and b. A row's offset is what is already known of its log-odds. It is solved by Newton's method; each step's quadratic program by
// coordinate descent, which takes bounds as they are (decisions/0102).
type logistic struct {
	x       []float64 // rows × width
	width   int
	won     []bool
	weight  []float64 // of rows
	offset  []float64 // of rows
	penalty float64
	anchor  []float64
}

// fit improves intercept and b, and gives them. It stops when a step changes nothing worth telling.
func (l *logistic) fit(intercept float64, b []float64, steps int) (float64, []float64) {
	n := l.width + 1
	gram, gradient, delta := make([]float64, n*n), make([]float64, n), make([]float64, n)
	for range steps {
		clear(gram)
		clear(gradient)
		for i, won := range l.won {
			w := l.weight[i]
			if w == 0 {
				continue
			}
			x := l.x[i*l.width : (i+1)*l.width]
			z := intercept + l.offset[i]
			for j, v := range x {
				z += b[j] * v
			}
			p := sigmoid(z)
			r, curve := -p, w*max(p*(1-p), 1e-5)
			if won {
				r++
			}
			gradient[0] += w * r
			gram[0] += curve
			for j, v := range x {
				if v == 0 {
					continue
				}
				gradient[j+1] += w * r * v
				gram[j+1] += curve * v
				line := gram[(j+1)*n+1:]
				for k := 0; k <= j; k++ {
					line[k] += curve * v * x[k]
				}
			}
		}
		for j := range l.width {
			gradient[j+1] -= l.penalty * (b[j] - l.anchor[j])
			gram[(j+1)*n+j+1] += l.penalty + 1e-9
			gram[(j+1)*n] = gram[j+1]
			for k := range j {
				gram[(k+1)*n+j+1] = gram[(j+1)*n+k+1]
			}
		}
		moved := l.step(gram, gradient, delta, b)
		intercept += delta[0]
		for j := range b {
			b[j] = max(0, b[j]+delta[j+1])
		}
		if moved < 1e-6 {
			break
		}
	}
	return intercept, b
}

// step solves min ½ d'Gd − g'd within the bounds of b + d, and gives the largest change.
func (l *logistic) step(gram, gradient, d, b []float64) (moved float64) {
	n := len(d)
	clear(d)
	for range 200 {
		change := 0.0
		for j := range n {
			g := gradient[j]
			for k, v := range d {
				g -= gram[j*n+k] * v
			}
			to := d[j] + g/max(gram[j*n+j], 1e-12)
			if j > 0 {
				to = max(to, -b[j-1])
			}
			to = min(max(to, -20), 20)
			change = max(change, math.Abs(to-d[j]))
			d[j] = to
		}
		if change < 1e-8 {
			break
		}
	}
	for _, v := range d {
		moved = max(moved, math.Abs(v))
	}
	return moved
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// loss is −log of the probability of what happened.
func loss(z float64, won bool) float64 {
	if won {
		z = -z
	}
	if z > 30 {
		return z
	}
	return math.Log1p(math.Exp(z))
}
