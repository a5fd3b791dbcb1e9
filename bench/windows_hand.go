package main

import "context"

// The same windows by hand, as one writes them where rows come in order of their times: nothing
// comes late, nothing is bounded, and there is no checkpoint.
var (
	windowsTumblingHand = register("windows-tumbling-hand", inMemory(func(_ context.Context, _ []event, j job) (t tally, _ error) {
		const size = 1_000_000
		open := map[int64]map[int32]int64{} // by start and key
		for row := range j.Rows {
			e := windowed(row, j.Keys)
			start := e.At - e.At%size
			sums := open[start]
			if sums == nil {
				sums = map[int32]int64{}
				open[start] = sums
			}
			sums[e.Sensor] += e.At
			if row%operatorPage < operatorPage-1 && row < j.Rows-1 {
				continue
			}
			for start, sums := range open { // the watermark behind a page
				if start+size > e.At && row < j.Rows-1 {
					continue
				}
				for _, sum := range sums {
					t.window(sum)
				}
				delete(open, start)
			}
		}
		return t, nil
	}))
	windowsSessionHand = register("windows-session-hand", inMemory(func(_ context.Context, _ []event, j job) (t tally, _ error) {
		const gap = 20_000
		type session struct{ end, sum int64 }
		open := map[int32]session{}
		for row := range j.Rows {
			e := windowed(row, j.Keys)
			s := open[e.Sensor]
			if s.end > 0 && s.end <= e.At { // it ends with the next row of its key
				t.window(s.sum)
				s.sum = 0
			}
			open[e.Sensor] = session{e.At + gap, s.sum + e.At}
		}
		for _, s := range open {
			t.window(s.sum)
		}
		return t, nil
	}))
)
