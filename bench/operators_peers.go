package main

import (
	"context"
	"sync"

	"github.com/destel/rill"
	"github.com/samber/ro"
)

var (
	operatorsRo   = register("operators-ro", inMemory(withRo))
	operatorsRill = register("operators-rill", inMemory(withRill))
)

func withRo(_ context.Context, rows []event, j job) (tally, error) {
	pages := make([][]event, j.Rows/int64(len(rows)))
	for i := range pages {
		pages[i] = rows
	}
	var t tally
	var failed error
	source := ro.FromSlice(pages...)
	fail := func(err error) { failed = err }
	if j.Bare {
		source.Subscribe(ro.NewObserver(t.countEvent, fail, func() {}))
		return t, failed
	}
	ro.Pipe3(source, ro.Map(toReading), ro.Filter(wanted), ro.Map(toPoint)).
		Subscribe(ro.NewObserver(t.count, fail, func() {}))
	return t, failed
}

// withRill feeds a channel as rill.FromSlice does for long slices: buffered by
// 512, from a goroutine.
func withRill(_ context.Context, rows []event, j job) (tally, error) {
	source := make(chan rill.Try[event], operatorPage)
	var feeding sync.WaitGroup
	defer feeding.Wait() // rill reads what it is given to the end
	feeding.Go(func() {
		defer close(source)
		for n := int64(0); n < j.Rows; n += int64(len(rows)) {
			for _, row := range rows {
				source <- rill.Try[event]{Value: row}
			}
		}
	})
	var t tally
	if j.Bare {
		err := rill.ForEach(source, 1, func(e event) error { t.countEvent(e); return nil })
		return t, err
	}
	readings := rill.Map(source, 1, readingOf)
	kept := rill.Filter(readings, 1, func(r reading) (bool, error) { return wanted(r), nil })
	points := rill.Map(kept, 1, pointOf)
	err := rill.ForEach(points, 1, func(p point) error { t.count(p); return nil })
	return t, err
}
