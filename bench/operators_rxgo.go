package main

import (
	"context"
	"errors"

	"github.com/reactivex/rxgo/v2"
)

var (
	operatorsRxgo         = register("operators-rxgo", inMemory(rxgoItems()))
	operatorsRxgoBuffered = register("operators-rxgo-buffered", inMemory(rxgoItems(rxgo.WithBufferedChannel(1024))))
)

// rxgoItems sends every row as an item of its own, the way rxgo's own
// documentation has it.
func rxgoItems(opts ...rxgo.Option) func(context.Context, []event, job) (tally, error) {
	return func(_ context.Context, rows []event, j job) (tally, error) {
		o := rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
			for n := int64(0); n < j.Rows; n += int64(len(rows)) {
				for i := range rows {
					ch <- rxgo.Of(rows[i])
				}
			}
		}}, opts...)
		if !j.Bare {
			o = o.
				Map(func(_ context.Context, v any) (any, error) { return toReading(v.(event)), nil }, opts...).
				Filter(func(v any) bool { return wanted(v.(reading)) }, opts...).
				Map(func(_ context.Context, v any) (any, error) { return toPoint(v.(reading)), nil }, opts...)
		}
		var t tally
		var err error
		for item := range o.Observe(opts...) {
			switch v := item.V.(type) {
			case point:
				t.count(v)
			case event:
				t.countEvent(v)
			default:
				err = errors.Join(err, item.E)
			}
		}
		return t, err
	}
}
