package main

import (
	"context"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

// windowed is a row of the figure: rows of all keys take turns, one each microsecond, and after
// each million there is a tenth of a second without any.
func windowed(row, keys int64) event {
	return event{Sensor: int32(row * 7919 % keys), At: row + row/1_000_000*100_000}
}

func tick(e event) time.Time { return time.UnixMicro(e.At) }

// ticks delivers such rows in pages, each with a watermark behind its last row. full is called when
// the last page is about to be delivered.
func ticks(rows, keys int64, full func()) rxcql.Stream[event] {
	info := rxcql.StageInfo{Name: "Ticks", Source: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[event]) error {
		defer st.Input().Done()
		st.CountRanges(1)
		st.Parts(ctx, flow.Parts{Count: 1})
		page := make([]event, operatorPage)
		bytes := operatorPage * int64(unsafe.Sizeof(event{}))
		for n, sent := int64(0), int64(0); sent < rows; n++ {
			page = page[:min(operatorPage, rows-sent)]
			for i := range page {
				page[i] = windowed(sent+int64(i), keys)
			}
			if sent += int64(len(page)); sent == rows {
				full()
			}
			reservation, err := st.Input().Reserve(ctx, bytes)
			if err != nil {
				return err
			}
			p := &flow.Page[event]{Rows: page, Reservation: reservation}
			p.Position = flow.Position{Page: n, Last: sent == rows}
			p.Watermark = flow.WatermarkAt(tick(page[len(page)-1]))
			p.Resize(bytes)
			p.AddReceipt(st.Receipt())
			st.CountPage(len(page), bytes)
			err = out.Next(ctx, p)
			p.Finish(err)
			if err != nil {
				return err
			}
		}
		st.CountRangeDone()
		return out.Done(ctx, false)
	})
}

// heapHeld is what the heap has grown by when the states are most; see windowsMemory.
var heapHeld int64

func heapNow() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // no heap is that large
}

// windowsBudget is more than the states take: what they take is measured.
const windowsBudget = 1 << 31

// countWindows runs windows over ticks, and counts the results and the rows in them.
func countWindows[K comparable](ctx context.Context, in rxcql.Stream[event], windows operators.Windows, key func(event) K, opts ...operators.WindowOption) (tally, error) {
	results := operators.Window(in, windows, tick, key, zero, addAt, append(opts, operators.WindowKeys(1<<40))...)
	var t tally
	_, err := results.ForEach(ctx, func(r operators.WindowResult[K, int64]) error {
		t.window(r.Value)
		return nil
	}, rxcql.WithBudget(windowsBudget))
	return t, err
}

// window counts a result.
func (t *tally) window(sum int64) {
	t.Rows++
	t.Sum += sum
}

func addAt(sum int64, e event) (int64, error) { return sum + e.At, nil }

// windowsOf is a contender that runs windows.
func windowsOf(windows operators.Windows, opts ...operators.WindowOption) work {
	return inMemory(func(ctx context.Context, _ []event, j job) (tally, error) {
		return countWindows(ctx, ticks(j.Rows, j.Keys, func() {}), windows, sensorOf, opts...)
	})
}

// memoryOf is a contender of which all states are there before any result.
func memoryOf[K comparable](key func(event) K) work {
	return inMemory(func(ctx context.Context, _ []event, j job) (tally, error) {
		before := heapNow()
		full := func() { heapHeld = heapNow() - before }
		return countWindows(ctx, ticks(j.Rows, j.Keys, full), operators.Tumbling(24*time.Hour), key)
	})
}

var (
	windowsTumbling = register("windows-tumbling", windowsOf(operators.Tumbling(time.Second)))
	windowsHopping  = register("windows-hopping", windowsOf(operators.Hopping(time.Second, 200*time.Millisecond)))
	windowsSession  = register("windows-session", windowsOf(operators.Session(20*time.Millisecond),
		operators.MergeStates(func(a, b int64) (int64, error) { return a + b, nil })))
	windowsMemory     = register("windows-memory", memoryOf(sensorOf))
	windowsMemoryText = register("windows-memory-text", memoryOf(func(e event) string { return fmt.Sprintf("sensor %013d", e.Sensor) }))
)
