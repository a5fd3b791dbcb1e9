package operators_test

import (
	"context"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

const benchRows = 512

// event is a row of about 80 bytes.
type event struct {
	Sensor, Seq int64
	At          int64
	Kind        int32
	Name, Note  string
	Value       float64
	Flag        bool
}

type reading struct {
	Key, Minute int64
	Kind        int32
	Name, Note  string
	Value       float64
}

func events() []event {
	rows := make([]event, benchRows)
	for i := range rows {
		rows[i] = event{
			Sensor: int64(i / 8), Seq: int64(i), At: int64(i) * 1000, Kind: int32(i % 8),
			Name: "sensor", Note: "a note", Value: float64(i),
		}
	}
	return rows
}

func toReading(e event) (reading, error) {
	return reading{e.Sensor<<32 | e.Seq, e.At / 60_000, e.Kind, e.Name, e.Note, e.Value}, nil
}

func wanted(r reading) bool { return r.Kind != 0 }

func doubled(r reading) (reading, error) {
	r.Value *= 2
	return r, nil
}

// pagesOf delivers n pages of the same rows, as a source that costs nothing.
func pagesOf[T any](rows []T, n int) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Pages", Source: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		defer st.Input().Done()
		for i := range n {
			reservation, err := st.Input().Reserve(ctx, 1)
			if err != nil {
				return err
			}
			p := &flow.Page[T]{Rows: rows, Reservation: reservation}
			p.Position = flow.Position{Page: int64(i), Last: i == n-1}
			p.Resize(int64(len(rows)) * 80)
			p.AddReceipt(st.Receipt())
			st.CountPage(len(rows), 0)
			err = out.Next(ctx, p)
			p.Finish(err)
			if err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	})
}

func measure[T any](b *testing.B, build func(rxcql.Stream[event]) rxcql.Stream[T]) {
	const pages = 200
	rows := events()
	stream := build(pagesOf(rows, pages))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := stream.Count(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(pages*benchRows), "ns/row")
}

func BenchmarkSourceAlone(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] { return in })
}

func BenchmarkMapFilterMap(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[reading] {
		return operators.Map(operators.Filter(operators.Map(in, toReading), wanted), doubled)
	})
}

// byHand hides the functions from the compiler, as an operator's caller does.
var byHand = struct {
	read   func(event) (reading, error)
	keep   func(reading) bool
	double func(reading) (reading, error)
}{toReading, wanted, doubled}

// BenchmarkByHand is what BenchmarkMapFilterMap is made of, without operators.
func BenchmarkByHand(b *testing.B) {
	in := events()
	first, kept, last := make([]reading, benchRows), make([]reading, 0, benchRows), make([]reading, benchRows)
	read, keep, double := byHand.read, byHand.keep, byHand.double
	for b.Loop() {
		var err error
		for i := range in {
			if first[i], err = read(in[i]); err != nil {
				b.Fatal(err)
			}
		}
		kept = kept[:0]
		for i := range first {
			if keep(first[i]) {
				kept = append(kept, first[i])
			}
		}
		for i := range kept {
			if last[i], err = double(kept[i]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

// BenchmarkMapFilterMapOfSmallRows has rows of 24 bytes, which Go passes and
// returns in registers throughout.
func BenchmarkMapFilterMapOfSmallRows(b *testing.B) {
	type small struct {
		Key, Minute int64
		Value       float64
	}
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[small] {
		rows := make([]small, benchRows)
		for i := range rows {
			rows[i].Key = int64(i % 8)
		}
		double := func(s small) (small, error) { s.Value *= 2; return s, nil }
		kept := operators.Filter(operators.Map(pagesOf(rows, 200), double), func(s small) bool { return s.Key != 0 })
		return operators.Map(kept, double)
	})
}

func BenchmarkFlatMap(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[reading] {
		return operators.FlatMap(in, func(e event, emit func(reading) bool) error {
			r, err := toReading(e)
			emit(r)
			return err
		})
	})
}

func BenchmarkBatch(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[[]event] {
		return operators.Batch(in, operators.BatchRows(100))
	})
}

func BenchmarkGroupAdjacentOfEight(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[operators.Group[int64, float64]] {
		return operators.GroupAdjacent(in, func(e event) int64 { return e.Sensor }, func() float64 { return 0 },
			func(sum float64, e event) (float64, error) { return sum + e.Value, nil })
	})
}

func BenchmarkMergeOfFour(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] {
		return operators.Merge(in, pagesOf(events(), 1), pagesOf(events(), 1), pagesOf(events(), 1))
	})
}

func BenchmarkDistinctAdjacentOfEight(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] {
		return operators.DistinctAdjacent(in, func(e event) int64 { return e.Sensor })
	})
}

// BenchmarkDistinctOfFew has 512 keys, each met again in every page.
func BenchmarkDistinctOfFew(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] {
		return operators.Distinct(in, func(e event) int64 { return e.Seq }, operators.DistinctKeys(1<<20))
	})
}

func BenchmarkConcatOfTwo(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Concat(in, pagesOf(events(), 1)) })
}

func benchConcurrent(b *testing.B, n int, opts ...operators.MapConcurrentOption) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[reading] {
		return operators.MapConcurrent(in, n, func(_ context.Context, e event) (reading, error) { return toReading(e) }, opts...)
	})
}

// BenchmarkTenThousandInFlight has calls that wait, as queries do.
func BenchmarkTenThousandInFlight(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[reading] {
		return operators.MapConcurrent(in, 10_000, func(_ context.Context, e event) (reading, error) {
			time.Sleep(10 * time.Millisecond)
			return toReading(e)
		}, operators.Unordered())
	})
}

func BenchmarkMapConcurrent16(b *testing.B)          { benchConcurrent(b, 16) }
func BenchmarkMapConcurrent1000(b *testing.B)        { benchConcurrent(b, 1000) }
func BenchmarkMapConcurrent16Unordered(b *testing.B) { benchConcurrent(b, 16, operators.Unordered()) }
func BenchmarkMapConcurrent10000Unordered(b *testing.B) {
	benchConcurrent(b, 10_000, operators.Unordered())
}
