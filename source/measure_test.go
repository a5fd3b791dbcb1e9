package source_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// fractions runs a stream into a sink that asks at each row how far the run is, and stops it
// after so many rows, if that is not 0.
func fractions[T any](t *testing.T, in rxcql.Stream[T], stopAfter int, opts ...rxcql.Option) (all []float64, rep rxcql.Report) {
	t.Helper()
	var p *rxcql.Pipeline
	p, err := rxcql.New(in, sink.Each(func(context.Context, T) error {
		e := p.Progress().Estimate
		if !e.Known {
			return fmt.Errorf("row %d: it is not known how far the run is", len(all))
		}
		if all = append(all, e.Fraction); len(all) == stopAfter {
			p.Stop()
		}
		return nil
	}, sink.Idempotent()), opts...)
	require.NoError(t, err)
	rep, err = p.Run(t.Context())
	require.NoError(t, err)
	return all, rep
}

func TestAFileIsAsFarAsItsBytesHaveBeenGiven(t *testing.T) {
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "%d\n", 100_000+i)
	}
	path := fileWith(t, text.String())
	got, rep := fractions(t, source.NDJSON[int](path, source.PageRows(10)), 0)
	for i, f := range got {
		require.InDelta(t, float64(i/10)/10, f, 1e-9, "row %d: the pages before it have been given", i)
	}
	require.Equal(t, rxcql.Estimate{Known: true, Fraction: 1, Rows: 100, LeftKnown: true}, rep.Estimate)

	store := &jobtest.Store{}
	_, rep = fractions(t, source.NDJSON[int](path, source.PageRows(10)), 35, rxcql.WithCheckpoint(store, "job"))
	require.InDelta(t, 0.4, rep.Estimate.Fraction, 1e-9)
	require.EqualValues(t, 100, rep.Estimate.Rows)
	got, rep = fractions(t, source.NDJSON[int](path, source.PageRows(10)), 0, rxcql.WithCheckpoint(store, "job"))
	require.Len(t, got, 60)
	require.InDelta(t, 0.4, got[0], 1e-9, "what the run before gave")
	require.InDelta(t, 0.9, got[59], 1e-9)
	require.Equal(t, rxcql.Estimate{Known: true, Fraction: 1, Rows: 100, LeftKnown: true}, rep.Estimate)
}

func TestAnEmptyFileIsReadToItsEndAtOnce(t *testing.T) {
	_, rep := fractions(t, source.NDJSON[int](fileWith(t, "")), 0)
	require.EqualValues(t, 1, rep.Estimate.Fraction)
}

func TestAFileThatGrowsWhileItIsReadIsNeverPastItsEnd(t *testing.T) {
	path := fileWith(t, "1\n2\n")
	in := source.NDJSON[int](path, source.PageRows(1))
	rows := 0
	var p *rxcql.Pipeline
	p, err := rxcql.New(in, sink.Each(func(context.Context, int) error {
		require.Less(t, p.Progress().Estimate.Fraction, 1.0)
		if rows++; rows < 5 {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteString("3\n")
			require.NoError(t, err)
			return f.Close()
		}
		return nil
	}))
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.NoError(t, err)
}

func TestAnIteratorMaySayHowFarItIs(t *testing.T) {
	at := int64(0)
	numbers := func(yield func(int64, error) bool) {
		for at = 0; at < 100; {
			at++
			if !yield(at, nil) {
				return
			}
		}
	}
	how := source.Measure(func() (done, total int64) { return at, 100 })
	var got []float64
	var p *rxcql.Pipeline
	p, err := rxcql.New(source.Seq(numbers, source.PageRows(10), how), sink.Each(func(context.Context, int64) error {
		got = append(got, p.Progress().Estimate.Fraction)
		return nil
	}))
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, got, 100)
	require.Zero(t, got[9])
	require.InDelta(t, 0.1, got[10], 1e-9)
	require.InDelta(t, 0.9, got[99], 1e-9)

	// One that has to pass over what earlier runs read says so once it is there.
	store := &jobtest.Store{}
	again := func() rxcql.Stream[int64] {
		return source.SeqFrom("numbers", func(from int64) iter.Seq2[int64, error] {
			return func(yield func(int64, error) bool) {
				for n := range numbers {
					if n > from && !yield(n, nil) {
						return
					}
				}
			}
		}, source.PageRows(10), how)
	}
	rows := 0
	run := func() rxcql.Report {
		var err error
		p, err = rxcql.New(again(), sink.Each(func(context.Context, int64) error {
			if rows++; rows == 45 {
				p.Stop()
			}
			return nil
		}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		return rep
	}
	require.InDelta(t, 0.5, run().Estimate.Fraction, 1e-9)
	rep := run()
	require.EqualValues(t, 50, rep.ResumedRows)
	require.EqualValues(t, 1, rep.Estimate.Fraction)

	_, err = rxcql.New(source.Seq(numbers, source.Measure(nil)), sink.Each(func(context.Context, int64) error { return nil }))
	require.ErrorContains(t, err, "Measure(nil)")
}
