package main

import "context"

// byHand hides the functions from the compiler, which would else put them into
// the loops.
var byHand = struct {
	toReading func(event) (reading, error)
	wanted    func(reading) bool
	toPoint   func(reading) (point, error)
}{readingOf, wanted, pointOf}

// operatorsHand is what the operators are to be measured by: a loop over a page
// for each of the three functions, which are called as values, as every library
// has to.
var operatorsHand = register("operators-hand", inMemory(func(_ context.Context, rows []event, j job) (tally, error) {
	var t tally
	toReading, wanted, toPoint := byHand.toReading, byHand.wanted, byHand.toPoint
	end, endBare := t.count, t.countEvent
	readings, kept := make([]reading, len(rows)), make([]reading, len(rows))
	points := make([]point, len(rows))
	for sent := int64(0); sent < j.Rows; sent += int64(len(rows)) {
		if j.Bare {
			for i := range rows {
				endBare(rows[i])
			}
			continue
		}
		for i := range rows {
			r, err := toReading(rows[i])
			if err != nil {
				return t, err
			}
			readings[i] = r
		}
		n := 0
		for i := range readings {
			if wanted(readings[i]) {
				kept[n] = readings[i]
				n++
			}
		}
		for i := range kept[:n] {
			p, err := toPoint(kept[i])
			if err != nil {
				return t, err
			}
			points[i] = p
		}
		for i := range points[:n] {
			end(points[i])
		}
	}
	return t, nil
}))
