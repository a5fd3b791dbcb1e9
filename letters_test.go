package rxcql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// drawer is a store of dead letters whose every method can be replaced.
type drawer struct {
	mu             sync.Mutex
	letters        []rxcql.Letter
	opened, closed int
	writes         int

	check func() error
	open  func(ctx context.Context) error
	write func(ctx context.Context, letters []rxcql.Letter) error
	close func() error
}

func (d *drawer) Check(context.Context) error {
	if d.check != nil {
		return d.check()
	}
	return nil
}

func (d *drawer) Open(ctx context.Context) (rxcql.DeadLetterWriter, error) {
	d.opened++
	if d.open != nil {
		if err := d.open(ctx); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *drawer) Write(ctx context.Context, letters []rxcql.Letter) error {
	if d.write != nil {
		if err := d.write(ctx, letters); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes++
	d.letters = append(d.letters, letters...)
	return nil
}

func (d *drawer) Close() error {
	d.closed++
	if d.close != nil {
		return d.close()
	}
	return nil
}

func TestAPageIsNotSettledBeforeItsLettersAreDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &drawer{write: func(context.Context, []rxcql.Letter) error { time.Sleep(time.Hour); return nil }}
		p := pipeline(t, badAt(30, errRow, func(n int) bool { return n == 5 || n == 15 }), &memory[int]{}, rxcql.WithRowErrors(rxcql.DeadLetter(store)))
		var run sync.WaitGroup
		var rep rxcql.Report
		var err error
		run.Go(func() { rep, err = p.Run(context.Background()) })
		settled := func() (pages, letters int64) {
			synctest.Wait()
			now := p.Progress()
			return now.PagesSettled, now.DeadLettered
		}
		pages, letters := settled()
		require.EqualValues(t, []int64{2, 0}, []int64{pages, letters}, "the third, and the empty one at the end")
		run.Wait()
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, []int64{4, 2, 28}, []int64{rep.PagesSettled, rep.DeadLettered, rep.Written})
		require.Zero(t, rep.BytesInFlight)
		require.Equal(t, []int{1, 1}, []int{store.opened, store.closed})
	})
}

func TestLettersThatComeTogetherAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &drawer{write: func(context.Context, []rxcql.Letter) error { time.Sleep(time.Second); return nil }}
		rep, err := skipping(t, badAt(1000, errRow, func(int) bool { return true }), rxcql.DeadLetter(store))
		require.NoError(t, err)
		require.EqualValues(t, 1000, rep.DeadLettered)
		require.LessOrEqual(t, store.writes, 3)
		for i, l := range store.letters {
			require.EqualValues(t, i+1, l.N)
			require.Equal(t, fmt.Sprint(i), string(l.Row))
		}
	})
}

func TestAStoreThatCannotWriteEndsTheRunAndSettlesNothing(t *testing.T) {
	full := errors.New("no space left")
	for name, write := range map[string]func(context.Context, []rxcql.Letter) error{
		"fails":  func(context.Context, []rxcql.Letter) error { return full },
		"panics": func(context.Context, []rxcql.Letter) error { panic(full) },
	} {
		store := &drawer{write: write}
		rep, err := skipping(t, badAt(100_000, errRow, func(int) bool { return true }), rxcql.DeadLetter(store))
		require.ErrorIs(t, err, full, name)
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage)
		require.Equal(t, "DeadLetter", stage.Stage)
		require.Zero(t, rep.DeadLettered)
		require.Zero(t, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
		require.Less(t, rep.ReadRows, int64(100_000), "the run ends at once")
		require.Equal(t, 1, store.closed)
	}
}

func TestAStoreThatCannotWriteEndsTheRunAlthoughNoOtherRowFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &drawer{write: func(context.Context, []rxcql.Letter) error { return errTest }}
		in := operators.Tap(seq(1000), func(n int) error {
			time.Sleep(time.Second)
			return map[bool]error{true: errRow}[n == 15]
		})
		rep, err := skipping(t, in, rxcql.DeadLetter(store))
		require.ErrorIs(t, err, errTest)
		require.Less(t, rep.ReadRows, int64(50))
	})
}

func TestAFailureOfTheLastLettersIsFoundAlthoughAllIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &drawer{write: func(context.Context, []rxcql.Letter) error { time.Sleep(time.Second); return errTest }}
		rep, err := skipping(t, badAt(10, errRow, func(n int) bool { return n == 9 }), rxcql.DeadLetter(store))
		require.ErrorIs(t, err, errTest)
		require.EqualValues(t, 1, rep.Pages-rep.PagesSettled)
		require.False(t, rep.Complete)
	})
	rep, err := skipping(t, seq(10), rxcql.DeadLetter(&drawer{close: func() error { return errTest }}))
	require.ErrorIs(t, err, errTest)
	require.False(t, rep.Complete)
}

func TestAStoreThatCannotBeOpenedEndsTheRunBeforeAnythingIsRead(t *testing.T) {
	pulled := 0
	in := operators.Tap(seq(10), func(int) error { pulled++; return nil })
	for _, store := range []*drawer{
		{open: func(context.Context) error { return errTest }}, {open: func(context.Context) error { panic(errTest) }},
		{check: func() error { return errTest }}, {check: func() error { panic(errTest) }},
	} {
		rep, err := pipeline(t, in, &memory[int]{}, rxcql.WithRowErrors(rxcql.DeadLetter(store))).Run(context.Background())
		require.ErrorIs(t, err, errTest)
		require.Zero(t, rep.Pages)
		require.Zero(t, store.closed)
		_, err = in.Collect(context.Background(), rxcql.WithRowErrors(rxcql.DeadLetter(store)))
		require.ErrorIs(t, err, errTest)
	}
	require.Zero(t, pulled)
	require.ErrorIs(t, pipeline(t, in, &memory[int]{}, rxcql.WithRowErrors(rxcql.DeadLetter(&drawer{check: func() error { return errTest }}))).
		Check(context.Background()), errTest)
}

func TestLettersThatWaitAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 10_000
		store := &drawer{write: func(context.Context, []rxcql.Letter) error { time.Sleep(time.Hour); return nil }}
		in := operators.Map(seq(2000), func(int) (string, error) { return strings.Repeat("x", size), nil })
		in = operators.Tap(in, func(string) error { return errRow })
		p := pipeline(t, in, &memory[string]{}, rxcql.WithRowErrors(rxcql.DeadLetter(store)))
		var run sync.WaitGroup
		run.Go(func() {
			rep, err := p.Run(context.Background())
			assert.NoError(t, err)
			assert.EqualValues(t, 2000, rep.DeadLettered)
			assert.Less(t, rep.PeakBytes, int64(2<<20))
		})
		synctest.Wait()
		require.Greater(t, p.Progress().BytesInFlight, int64(900_000), "letters that wait are charged")
		require.Less(t, p.Progress().ReadRows, int64(250))
		run.Wait()
	})
}

func TestACancelEndsTheWaitForLettersAndGivesThemTheGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		store := &drawer{write: func(ctx context.Context, _ []rxcql.Letter) error {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(5 * time.Second):
				return nil
			}
		}}
		in := badAt(100_000, errRow, func(int) bool { return true })
		time.AfterFunc(time.Second, func() { cancel(errTest) })
		rep, err := pipeline(t, in, &memory[int]{}, rxcql.WithRowErrors(rxcql.DeadLetter(store))).Run(ctx)
		require.ErrorIs(t, err, errTest)
		require.Positive(t, rep.DeadLettered, "what was being written was finished")
		require.Len(t, store.letters, int(rep.DeadLettered))
		require.Zero(t, rep.BytesInFlight)

		ctx, cancel = context.WithCancelCause(context.Background())
		time.AfterFunc(time.Second, func() { cancel(errTest) })
		store.letters = nil
		rep, err = pipeline(t, in, &memory[int]{}, rxcql.WithRowErrors(rxcql.DeadLetter(store)), rxcql.WithGrace(0)).Run(ctx)
		require.ErrorIs(t, err, errTest)
		require.Zero(t, rep.DeadLettered)
		require.Zero(t, rep.PagesSettled)
	})
}

func TestLeavingALoopEarlyKeepsTheLettersThatWait(t *testing.T) {
	store := &drawer{}
	for n, err := range badAt(100, errRow, tenth).All(context.Background(), rxcql.WithRowErrors(rxcql.DeadLetter(store))) {
		require.NoError(t, err)
		if n == 42 {
			break
		}
	}
	require.Len(t, store.letters, 5)
	require.Equal(t, 1, store.closed)
}
