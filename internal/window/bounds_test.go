package window_test

import (
	"errors"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/window"
)

func TestAtTheBoundThereIsAnError(t *testing.T) {
	states, bytes := listConfig(0), listConfig(0)
	states.MaxStates, bytes.MaxBytes = 10, 4000
	for name, w := range map[string]windows[row, int, []int]{
		"states, tumbling": window.NewAligned(states, window.Grid{Size: 10, Every: 10}, window.Never),
		"states, hopping":  window.NewAligned(states, window.Grid{Size: 50, Every: 10}, window.Never),
		"states, sessions": window.NewSessions(states, 10),
		"bytes, tumbling":  window.NewAligned(bytes, window.Grid{Size: 10, Every: 10}, window.Never),
		"bytes, hopping":   window.NewAligned(bytes, window.Grid{Size: 50, Every: 10}, window.Never),
		"bytes, sessions":  window.NewSessions(bytes, 10),
	} {
		var err error
		n := 0
		for err == nil && n < 10_000 {
			r := row{number: n, key: n}
			_, err = w.Add(0, n, &r)
			n++
		}
		require.ErrorIs(t, err, window.ErrFull, name)
		require.LessOrEqual(t, n, 50, name)
		require.LessOrEqual(t, w.States(), int64(50), name)
	}
	one := listConfig(0)
	one.MaxBytes = 100_000
	for name, w := range map[string]windows[row, int, []int]{
		"one state that grows, tumbling": window.NewAligned(one, window.Grid{Size: 10, Every: 10}, window.Never),
		"one state that grows, session":  window.NewSessions(one, 10),
	} {
		var err error
		n := 0
		for err == nil && n < 1_000_000 {
			r := row{number: n}
			_, err = w.Add(0, 0, &r)
			n++
		}
		require.ErrorIs(t, err, window.ErrFull, name)
		require.Less(t, n, 30_000, name)
		require.Greater(t, n, 5_000, name)
	}
}

func TestAnErrorOfAFoldOrAMergeComesBack(t *testing.T) {
	bad := errors.New("bad")
	cfg := listConfig(0)
	cfg.Merge = func(_, _ []int) ([]int, error) { return nil, bad }
	w := window.NewSessions(cfg, 10)
	for i, at := range []int64{0, 15, 8} {
		r := row{number: i, at: at}
		_, err := w.Add(at, 0, &r)
		if at == 8 {
			require.ErrorIs(t, err, bad)
			continue
		}
		require.NoError(t, err)
	}
	cfg.Fold = func([]int, row) ([]int, error) { return nil, bad }
	r := row{}
	_, err := window.NewSessions(cfg, 10).Add(0, 0, &r)
	require.ErrorIs(t, err, bad)
	_, err = window.NewAligned(cfg, window.Grid{Size: 1, Every: 1}, window.Never).Add(0, 0, &r)
	require.ErrorIs(t, err, bad)
}

func TestAKeyThatDoesNotEqualItselfIsAStateOfEachRow(t *testing.T) {
	cfg := window.Config[row, float64, int]{
		Seed: func() int { return 0 }, Fold: func(n int, _ row) (int, error) { return n + 1, nil },
		Merge: func(a, b int) (int, error) { return a + b, nil }, FixedSize: true,
		SizeKey: func(*float64) int { return 8 }, SizeState: func(*int) int { return 8 }, Keep: func(k float64) float64 { return k },
	}
	for name, w := range map[string]windows[row, float64, int]{
		"hopping":  window.NewAligned(cfg, window.Grid{Size: 20, Every: 10}, window.Never),
		"sessions": window.NewSessions(cfg, 10),
	} {
		for i := range 3 {
			_, err := w.Add(int64(i), math.NaN(), &row{})
			require.NoError(t, err)
		}
		n := 0
		count := func(s *window.State[float64, int], _, _ int64, _ window.Kind) error {
			require.EqualValues(t, 1, s.Rows)
			n++
			return nil
		}
		require.NoError(t, w.Early(count), name)
		require.Positive(t, n, name)
		early := n
		require.NoError(t, w.Advance(window.Forever, count), name)
		require.Equal(t, 2*early, n, name)
		require.Zero(t, w.States(), name)
	}
}

func TestARowOfAStateThatIsThereAllocatesNothing(t *testing.T) {
	cfg := listConfig(0)
	cfg.Fold = func(all []int, _ row) ([]int, error) { return all, nil }
	for name, w := range map[string]windows[row, int, []int]{
		"tumbling": window.NewAligned(cfg, window.Grid{Size: 1000, Every: 1000}, window.Never),
		"hopping":  window.NewAligned(cfg, window.Grid{Size: 1000, Every: 100}, window.Never),
		"sessions": window.NewSessions(cfg, 1000),
	} {
		r := row{}
		add := func() {
			for i := range 100 {
				_, err := w.Add(int64(i*7%50), i%10, &r)
				require.NoError(t, err)
			}
		}
		add()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 100 {
			add()
		}
		runtime.ReadMemStats(&after)
		require.Less(t, after.Mallocs-before.Mallocs, uint64(1000), name)
	}
}
