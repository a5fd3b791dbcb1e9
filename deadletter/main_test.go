package deadletter_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/internal/leak"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// childEnv names, in the process of a child, the file that it writes letters to.
const childEnv = "RXCQL_LETTERS"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		writeForEver(path)
	}
	leak.Main(m)
}

// writeForEver writes letters until it is killed or the file is as large as it
// may be. Of every write that came back it tells on standard output.
func writeForEver(path string) {
	signal.Ignore(syscall.Signal(25)) // SIGXFSZ: the write itself fails
	w, err := deadletter.NDJSON(path).Open(context.Background())
	for n := int64(1); err == nil; n++ {
		if err = w.Write(context.Background(), []rxcql.Letter{letter(n, strings.Repeat("x", int(n*7919%3000)))}); err == nil {
			fmt.Println(n)
		}
	}
	fmt.Println(err)
	os.Exit(0)
}

func letter(n int64, text string) rxcql.Letter {
	return rxcql.Letter{
		Run: "a run", N: n, Time: time.UnixMilli(1_700_000_000_123).UTC(), Stage: "Map", Error: "broken", Range: "(-5, 7]",
		Page: 3, Index: 4, Type: "string", Row: fmt.Appendf(nil, "%q", text),
	}
}

func write(t testing.TB, path string, letters ...rxcql.Letter) {
	t.Helper()
	w, err := deadletter.NDJSON(path).Open(context.Background())
	require.NoError(t, err)
	require.NoError(t, w.Write(context.Background(), letters))
	require.NoError(t, w.Close())
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "letters.ndjson") }

// readAll gives the letters of a file and the errors among them.
func readAll[T any](path string, opts ...deadletter.ReadOption) (letters []deadletter.Letter[T], errs []error) {
	for l, err := range deadletter.Read[T](path, opts...) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		letters = append(letters, l)
	}
	return letters, errs
}

func rowsOf[T any](letters []deadletter.Letter[T]) (rows []T) {
	for _, l := range letters {
		rows = append(rows, l.Row)
	}
	return rows
}

// failing is a stream whose rows all fail.
func failing[T any](rows ...T) rxcql.Stream[T] {
	in := source.Seq(func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	})
	return operators.Tap(in, func(T) error { return fmt.Errorf("no such row") })
}
