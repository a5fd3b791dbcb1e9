package window_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/window"
)

// A session that has become a part of another one takes no memory, though the clock stands still.
func TestSessionsThatWereMergedTakeNoMemory(t *testing.T) {
	const gap, mib = 10, 1 << 20
	for name, of := range map[string]struct{ sessions, state int }{"large states": {200, mib}, "many": {200_000, 8}} {
		w := window.NewSessions(window.Config[row, int, []byte]{
			Seed:      func() []byte { return make([]byte, of.state) },
			Fold:      func(s []byte, _ row) ([]byte, error) { return s, nil },
			Merge:     func(a, _ []byte) ([]byte, error) { return a, nil },
			SizeRow:   func(*row) int { return 24 },
			SizeKey:   func(*int) int { return 8 },
			SizeState: func(s *[]byte) int { return 24 + cap(*s) },
			Keep:      func(key int) int { return key },
		}, gap)
		before := heap()
		add := func(at int) {
			_, err := w.Add(int64(at), 0, &row{})
			require.NoError(t, err)
		}
		add(0)
		for i := 1; i < of.sessions; i++ { // a session behind the first, and a row between them
			add(2 * gap * i)
			add(2*gap*i - gap + 1)
			add(2*gap*i - 2*gap + 2)
		}
		require.EqualValues(t, 1, w.States(), name)
		require.Less(t, heap()-before, int64(4*mib), name)
		runtime.KeepAlive(w)
	}
}

func heap() int64 {
	var now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	return int64(now.HeapAlloc)
}
