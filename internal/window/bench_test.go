package window_test

import (
	"runtime"
	"testing"

	"github.com/rxcql/rxcql/internal/window"
)

type reading struct {
	sensor int64
	at     int64
	value  float64
}

func sumConfig() window.Config[reading, int64, float64] {
	return window.Config[reading, int64, float64]{
		Seed:      func() float64 { return 0 },
		Fold:      func(sum float64, r reading) (float64, error) { return sum + r.value, nil },
		Merge:     func(a, b float64) (float64, error) { return a + b, nil },
		MaxStates: 1 << 40, SizeRow: func(*reading) int { return 24 }, SizeKey: func(*int64) int { return 8 },
		SizeState: func(*float64) int { return 8 }, FixedSize: true, Keep: func(k int64) int64 { return k },
	}
}

// BenchmarkAdd adds rows of keys that take turns, in pages of 512 behind which the clock goes on: a
// row a microsecond.
func BenchmarkAdd(b *testing.B) {
	const keys, million = 10_000, 1_000_000
	for name, w := range map[string]func() windows[reading, int64, float64]{
		"tumbling, 100 rows a window": func() windows[reading, int64, float64] {
			return window.NewAligned(sumConfig(), window.Grid{Size: million, Every: million}, window.Never)
		},
		"hopping, 5 windows": func() windows[reading, int64, float64] {
			return window.NewAligned(sumConfig(), window.Grid{Size: million, Every: million / 5}, window.Never)
		},
		"sessions of 100 rows": func() windows[reading, int64, float64] {
			return window.NewSessions(sumConfig(), 2*keys)
		},
	} {
		for how, key := range map[string]func(i int64) int64{
			"keys in turn":       func(i int64) int64 { return i * 7919 % keys },
			"8 rows of each key": func(i int64) int64 { return i / 8 * 7919 % keys },
		} {
			b.Run(name+", "+how, func(b *testing.B) {
				b.ReportAllocs()
				w, i, results := w(), int64(0), 0
				for b.Loop() {
					for range 512 {
						i++
						r := reading{key(i), i, 1}
						at := i
						if name == "sessions of 100 rows" {
							at += i / million * 3 * keys // a pause, in which all sessions end
						}
						if _, err := w.Add(at, r.sensor, &r); err != nil {
							b.Fatal(err)
						}
					}
					at := i + i/million*3*keys
					if name != "sessions of 100 rows" {
						at = i
					}
					if err := w.Advance(at, func(*window.State[int64, float64], int64, int64, window.Kind) error {
						results++
						return nil
					}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)*512/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// BenchmarkStates is the memory of a million states: on the heap, and as counted for the bounds.
func BenchmarkStates(b *testing.B) {
	const keys = 1_000_000
	for name, make := range map[string]func() windows[reading, int64, float64]{
		"tumbling": func() windows[reading, int64, float64] {
			return window.NewAligned(sumConfig(), window.Grid{Size: 1000, Every: 1000}, window.Never)
		},
		"sessions": func() windows[reading, int64, float64] { return window.NewSessions(sumConfig(), 1000) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				w := make()
				for i := range int64(keys) {
					r := reading{i, 1, 1}
					if _, err := w.Add(1, i, &r); err != nil {
						b.Fatal(err)
					}
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/keys, "B/key")
				b.ReportMetric(float64(w.Bytes())/keys, "counted-B/key")
			}
		})
	}
}
