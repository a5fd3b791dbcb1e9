package source_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// lateLetters fail, if there is something to wait for, a while after that.
type lateLetters struct{ after chan struct{} }

func (lateLetters) Check(context.Context) error                            { return nil }
func (l lateLetters) Open(context.Context) (rxcql.DeadLetterWriter, error) { return l, nil }
func (lateLetters) Close() error                                           { return nil }
func (l lateLetters) Write(context.Context, []rxcql.Letter) error {
	if l.after == nil {
		return nil
	}
	<-l.after
	time.Sleep(20 * time.Millisecond)
	return errors.New("no letters today")
}

func TestAGroupGrowsThatWasHandedOnAndIsReadAgain(t *testing.T) {
	for _, more := range []string{"", "8\n"} {
		path, store := fileWith(t, "7\n7\n8\n8\nbad\n"), &jobtest.Store{}
		run := func(after chan struct{}) (got []group, err error) {
			p, err := rxcql.New(sums(source.NDJSON[int](path, source.PageRows(3))), sink.Each(func(_ context.Context, g group) error {
				got = append(got, g)
				if g.Key == 8 && after != nil {
					close(after)
				}
				return nil
			}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"), rxcql.WithRowErrors(rxcql.DeadLetter(lateLetters{after})))
			require.NoError(t, err)
			_, err = p.Run(context.Background())
			return got, err
		}
		got, err := run(make(chan struct{}))
		require.ErrorContains(t, err, "no letters today")
		require.Equal(t, []group{{Key: 7, Value: 14, Rows: 2}, {Key: 8, Value: 16, Rows: 2}}, got)
		state, err := store.State("job")
		require.NoError(t, err)
		require.EqualValues(t, 3, state.Sources[0].Parts[0].Rows, "the last page is not settled, because its letter is not")

		grow(t, path, more)
		got, err = run(nil)
		require.Empty(t, got)
		if more == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	}
}

// A file of 7s, 8s and bad lines has been read, except its last page, which is not
// settled. It grows, and is read in pages of other sizes.
func TestRowsThatCameBehindAGroupAreNeverTakenForThoseReadAgain(t *testing.T) {
	for i, text := range []string{
		"7\n8\n", "7\n8\n8\n", "7\n8\n8\n8\n8\n", "8\n8\nbad\n", "7\n8\nbad\nbad\nbad\n8\n", "7\n8\nbad\nbad\nbad\nbad\n",
		"bad\n7\nbad\n8\n8\nbad\n8\n", "8\n7\n8\n8\n7\n8\n8\n8\nbad\n8\n",
	} {
		for j, more := range []string{"", "8\n", "8\n9\n", "9\n", "bad\n8\n", "bad\n", "bad\n9\n"} {
			if testing.Short() && (i+j)%4 > 0 {
				continue
			}
			for pages := range 16 { // the sizes in three runs: of any two all, and of all three over the texts
				first, second := pages%4, pages/4
				rightAfterGrowing(t, text, more, 1+first, 1+second, 1+(first+second+i+j)%4)
			}
		}
	}
}

func rightAfterGrowing(t *testing.T, text, more string, first, second, third int) {
	t.Helper()
	path, store := fileWith(t, text), &jobtest.Store{}
	run := func(pageRows int, fails bool) (got []group, err error) {
		in := source.NDJSON[int](path, source.PageRows(pageRows))
		if fails {
			in = rxcql.Lift(in, rxcql.StageInfo{Name: "Cut"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
				return failingAfterLast[int]{out}
			})
		}
		p, err := rxcql.New(sums(in), sink.Each(func(_ context.Context, g group) error {
			got = append(got, g)
			return nil
		}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"), rxcql.WithRowErrors(rxcql.SkipRows(100)))
		require.NoError(t, err)
		_, err = p.Run(context.Background())
		return got, err
	}
	durable, err := run(first, true)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	again, err := run(second, true) // nothing has come yet
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Subset(t, durable, again)
	grow(t, path, more)
	got, err := run(third, false)
	about := fmt.Sprintf("%q and %q in pages of %d, %d and %d: %v, then %v, %v", text, more, first, second, third, durable, got, err)
	switch {
	case err != nil:
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign, about)
		require.NotEmpty(t, more, about)
	case more == "9\n" || more == "bad\n9\n":
		require.Contains(t, got, group{Key: 9, Value: 9, Rows: 1}, about)
	case more == "8\n" || more == "8\n9\n" || more == "bad\n8\n":
		last := durable[len(durable)-1]
		require.Contains(t, got, group{Key: 8, Value: last.Value + 8, Rows: last.Rows + 1}, about)
	default:
		require.Subset(t, durable, got, about)
	}
}
