package source_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/source"
)

// counted yields the numbers from one on, up to rows, and then an error if it is not nil.
func counted(from int64, rows int, err error) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for n := int(from); n < rows; n++ {
			if !yield(n, nil) {
				return
			}
		}
		if err != nil {
			yield(0, err)
		}
	}
}

// aPageOf is a function for Pages that gives pages of four rows, and then what end does.
func aPageOf(rows int, end func(ctx context.Context) error) func(context.Context) ([]int, error) {
	n := 0
	return func(ctx context.Context) (page []int, err error) {
		for len(page) < 4 && n < rows {
			page = append(page, n)
			n++
		}
		if len(page) == 0 {
			err = end(ctx)
		}
		return page, err
	}
}

func untilTheEnd(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// items is an Observable of so many numbers, and then an error if it is not nil.
func items(rows int, err error) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
		for n := range rows {
			ch <- rxgo.Of(n)
		}
		if err != nil {
			ch <- rxgo.Error(err)
		}
	}})
}

func number(n int) int { return n }

// inMemory are the sources in memory, each with all that the suite can try.
func inMemory(t testing.TB) map[string]rxcqltest.SourcePlace[int] {
	filled := func(rows int) chan int {
		ch := make(chan int, rows)
		for n := range rows {
			ch <- n
		}
		return ch
	}
	return map[string]rxcqltest.SourcePlace[int]{
		"Of": {
			Stream: func(rows int) rxcql.Stream[int] {
				var all []int
				for n := range rows {
					all = append(all, n)
				}
				return source.Of(all...)
			},
		},
		"Seq": {
			Stream: func(rows int) rxcql.Stream[int] { return source.Seq(counted(0, rows, nil), source.PageRows(4)) },
			Fails: func(rows int) (rxcql.Stream[int], error) {
				return source.Seq(counted(0, rows, errPages), source.PageRows(4)), errPages
			},
		},
		"Seq, in one page": {
			Stream: func(rows int) rxcql.Stream[int] { return source.Seq(counted(0, rows, nil)) },
		},
		"SeqFrom": {
			Stream: func(rows int) rxcql.Stream[int] {
				return source.SeqFrom("numbers", func(from int64) iter.Seq2[int, error] { return counted(from, rows, nil) }, source.PageRows(4))
			},
			Fails: func(rows int) (rxcql.Stream[int], error) {
				failing := func(from int64) iter.Seq2[int, error] { return counted(from, rows, errPages) }
				return source.SeqFrom("numbers", failing, source.PageRows(4)), errPages
			},
		},
		"Chan": {
			Stream: func(rows int) rxcql.Stream[int] {
				ch := filled(rows)
				close(ch)
				return source.Chan(ch, source.PageRows(4))
			},
			Stalls: func(rows int) rxcql.Stream[int] { return source.Chan(filled(rows), source.PageRows(4)) },
		},
		"Chan, with a buffer": {
			Stream: func(rows int) rxcql.Stream[int] {
				ch := filled(rows)
				close(ch)
				return source.Chan(ch, source.PageRows(4), source.Buffer(10, rxcql.OverflowBlock))
			},
			Stalls: func(rows int) rxcql.Stream[int] {
				return source.Chan(filled(rows), source.PageRows(4), source.Buffer(1000, rxcql.OverflowDropOldest))
			},
		},
		"FromObservable, with a buffer": {
			Unmetered: true,
			Stream: func(rows int) rxcql.Stream[int] {
				return source.FromObservable[int](items(rows, nil), source.Buffer(10, rxcql.OverflowBlock))
			},
			Fails: func(rows int) (rxcql.Stream[int], error) {
				return source.FromObservable[int](items(rows, errPages), source.Buffer(10, rxcql.OverflowBlock)), errPages
			},
		},
		"Pages": {
			Stream: func(rows int) rxcql.Stream[int] {
				return source.Pages(aPageOf(rows, func(context.Context) error { return io.EOF }))
			},
			Fails: func(rows int) (rxcql.Stream[int], error) {
				return source.Pages(aPageOf(rows, func(context.Context) error { return errPages })), errPages
			},
			Stalls: func(rows int) rxcql.Stream[int] { return source.Pages(aPageOf(rows, untilTheEnd)) },
		},
		"FromObservable": {
			Unmetered: true,
			Stream:    func(rows int) rxcql.Stream[int] { return source.FromObservable[int](items(rows, nil)) },
			Fails: func(rows int) (rxcql.Stream[int], error) {
				return source.FromObservable[int](items(rows, errPages)), errPages
			},
			Stalls: func(rows int) rxcql.Stream[int] {
				ch := make(chan rxgo.Item, rows)
				t.Cleanup(func() { close(ch) }) // it is read on until then, also when the run has ended
				for n := range rows {
					ch <- rxgo.Of(n)
				}
				return source.FromObservable[int](rxgo.FromChannel(ch))
			},
		},
	}
}

func TestConformanceOfSourcesInMemory(t *testing.T) {
	for name := range inMemory(t) {
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestSource(t, func(t testing.TB) rxcqltest.SourcePlace[int] {
				place := inMemory(t)[name]
				place.Number = number
				return place
			})
		})
	}
}

type line struct {
	N int `json:"n" cql:"n"`
}

// written writes a file of lines, the last of which may be no row.
func written(t testing.TB, header, each string, rows int, last string) string {
	text := header
	for n := range rows {
		text += fmt.Sprintf(each, n)
	}
	path := filepath.Join(t.TempDir(), "rows")
	require.NoError(t, os.WriteFile(path, []byte(text+last), 0o600))
	return path
}

func TestConformanceOfSourcesOfFiles(t *testing.T) {
	csv := func(path string) rxcql.Stream[line] { return source.CSV[line](path, source.PageRows(4)) }
	ndjson := func(path string) rxcql.Stream[line] { return source.NDJSON[line](path, source.PageRows(4)) }
	for name, kind := range map[string]struct {
		header, each string
		of           func(path string) rxcql.Stream[line]
	}{
		"CSV":    {"n\n", "%d\n", csv},
		"NDJSON": {"", "{\"n\":%d}\n", ndjson},
		"CSV of DSBulk": {"n\n", "%d\n", func(path string) rxcql.Stream[line] {
			return source.CSV[line](path, source.PageRows(4), source.Dialect(dialect.DSBulk()))
		}},
		"files": {"n\n", "%d\n", func(path string) rxcql.Stream[line] {
			return source.CSVFiles[line]([]string{path}, source.PageRows(4))
		}},
		"reader": {"", "{\"n\":%d}\n", func(path string) rxcql.Stream[line] {
			return source.NDJSONReader[line]("pipe", func(context.Context) (io.ReadCloser, error) { return os.Open(path) }, source.PageRows(4))
		}},
		"array": {"", "{\"n\":%d}\n", func(path string) rxcql.Stream[line] {
			return source.JSONArrayReader[line]("pipe", func(context.Context) (io.ReadCloser, error) {
				text, err := os.ReadFile(path)
				array := "[" + strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", ",\n") + "]"
				return io.NopCloser(strings.NewReader(array)), err
			}, source.PageRows(4))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestSource(t, func(t testing.TB) rxcqltest.SourcePlace[line] {
				paths := map[int]string{}
				return rxcqltest.SourcePlace[line]{
					Stream: func(rows int) rxcql.Stream[line] {
						if paths[rows] == "" {
							paths[rows] = written(t, kind.header, kind.each, rows, "")
						}
						return kind.of(paths[rows])
					},
					Number: func(l line) int { return l.N },
					Fails: func(rows int) (rxcql.Stream[line], error) {
						return kind.of(written(t, kind.header, kind.each, rows, "no row\n")), nil
					},
				}
			})
		})
	}
}
