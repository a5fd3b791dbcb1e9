package sink_test

import (
	"context"
	"iter"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// everyFewMilliseconds is a source of so many rows, one each 5 ms.
func everyFewMilliseconds(n int) rxcql.Stream[event] {
	return source.SeqFrom("events", func(from int64) iter.Seq2[event, error] {
		return func(yield func(event, error) bool) {
			for i := int(from); i < n; i++ {
				time.Sleep(5 * time.Millisecond)
				if !yield(event{P: int64(i)}, nil) {
					return
				}
			}
		}
	}, source.PageRows(1))
}

func TestASaveDoesNotWaitForWhatLingers(t *testing.T) {
	const rows, pace = 800, 800 * 5 * time.Millisecond
	server := sink.Server(func(context.Context, sink.Sent) error { return nil })
	for _, linger := range []time.Duration{50 * time.Millisecond, 3 * time.Second, time.Minute} {
		batched := func(in rxcql.Stream[event]) rxcql.Stream[[]event] {
			return operators.Batch(in, operators.BatchRows(10_000), operators.BatchLinger(linger))
		}
		flat := func(in rxcql.Stream[event]) rxcql.Stream[event] {
			return operators.FlatMap(batched(in), func(rows []event, emit func(event) bool) error {
				for _, row := range rows {
					emit(row)
				}
				return nil
			})
		}
		for name, job := range map[string]func(file string) (*rxcql.Pipeline, error){
			"Batch": func(file string) (*rxcql.Pipeline, error) {
				return rxcql.New(batched(everyFewMilliseconds(rows)), sink.NDJSON[[]event](file), checkpointed(file))
			},
			"two of them": func(file string) (*rxcql.Pipeline, error) {
				return rxcql.New(batched(flat(everyFewMilliseconds(rows))), sink.NDJSON[[]event](file), checkpointed(file))
			},
			"a table beside a file": func(file string) (*rxcql.Pipeline, error) {
				table := sink.TableOn[event](server, events(), sink.BatchLinger(linger))
				return rxcql.New(everyFewMilliseconds(rows), sink.Tee(table, sink.NDJSON[event](file)), checkpointed(file))
			},
			"a table that sorts beside a file": func(file string) (*rxcql.Pipeline, error) {
				table := sink.TableOn[event](server, events(), byToken(sink.BatchLinger(linger))...)
				return rxcql.New(everyFewMilliseconds(rows), sink.Tee(table, sink.NDJSON[event](file)), checkpointed(file))
			},
			"both": func(file string) (*rxcql.Pipeline, error) {
				table := sink.TableOn[event](server, events(), sink.BatchLinger(linger))
				return rxcql.New(flat(everyFewMilliseconds(rows)), sink.Tee(table, sink.NDJSON[event](file)), checkpointed(file))
			},
			"in a Through beside a file": func(file string) (*rxcql.Pipeline, error) {
				table := sink.Through(flat, sink.TableOn[event](server, events(), sink.BatchLinger(linger)))
				return rxcql.New(everyFewMilliseconds(rows), sink.Tee(table, sink.NDJSON[event](file)), checkpointed(file))
			},
		} {
			synctest.Test(t, func(t *testing.T) {
				p, err := job(filepath.Join(t.TempDir(), "f"))
				require.NoError(t, err)
				rep, err := p.Run(context.Background())
				require.NoError(t, err)
				require.EqualValues(t, rows, rep.ReadRows)
				require.Less(t, rep.Duration, pace+2*time.Second, "%s, %v", name, linger)
				require.GreaterOrEqual(t, rep.Saves, int64(3), "%s, %v", name, linger)
			})
		}
	}
}

func checkpointed(file string) rxcql.Option {
	return rxcql.WithCheckpoint(checkpoint.File(file+".checkpoint"), "job")
}
