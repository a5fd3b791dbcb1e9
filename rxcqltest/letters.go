package rxcqltest

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
)

// DeadLetterPlace is where a DeadLetterStore keeps letters: a file, a table, a queue. It is empty
// at first.
type DeadLetterPlace struct {
	// Store makes a store on the place, as another process would: two stores share nothing but the
	// place.
	Store func() rxcql.DeadLetterStore

	// Letters returns the letters that are durable now. It is called also while a run writes. The
	// letters of one run must come in the order in which a reader of the place gets them.
	Letters func() []rxcql.Letter

	// Fail(true) makes every request to the place fail, as when the disk is full or the server
	// cannot be reached; Fail(false) makes it work again. If Fail is nil, the rules about failures
	// are skipped.
	Fail func(fail bool)

	// IgnoreGoroutines are functions of goroutines that may go on, such as
	// "net/http.(*persistConn)", because they belong to a client that is not the store's.
	// Goroutines that gocql starts are ignored anyway.
	IgnoreGoroutines []string
}

// TestDeadLetters tests a DeadLetterStore. It calls place once for each rule.
func TestDeadLetters(t *testing.T, place func(t testing.TB) DeadLetterPlace) {
	t.Helper()
	run(t, letterRules(), place)
}

func letterRules() []rule[DeadLetterPlace] {
	return append(keepingRules(), lettersFailingRules()...)
}

const (
	manyLetters = 2048      // the most that the engine hands over at once
	largeRow    = 1_000_000 // bytes of a row that every store must take
)

// letterOf makes letter n of a run.
func letterOf(run string, n int) rxcql.Letter {
	return rxcql.Letter{
		Run: run, N: int64(n), Time: time.UnixMilli(1_700_000_000_123 + int64(n)).UTC(), Stage: "Map", Error: "broken",
		Range: "(-5, 7]", Page: int64(n), Index: n % 100, Type: "main.Flight", Row: fmt.Appendf(nil, `{"n":%d}`, n),
	}
}

// lettersOf makes the letters from..to of a run.
func lettersOf(run string, from, to int) (letters []rxcql.Letter) {
	for n := from; n <= to; n++ {
		letters = append(letters, letterOf(run, n))
	}
	return letters
}

func openLetters(t testing.TB, store rxcql.DeadLetterStore) rxcql.DeadLetterWriter {
	t.Helper()
	var w rxcql.DeadLetterWriter
	var err error
	within(t, "Open", func() { w, err = store.Open(t.Context()) })
	must(t, err, "Open")
	if w == nil {
		t.Fatalf("Open returned no DeadLetterWriter and no error")
	}
	return w
}

func writeLetters(t testing.TB, w rxcql.DeadLetterWriter, letters []rxcql.Letter) {
	t.Helper()
	must(t, tryLetters(t.Context(), t, w, letters), "Write")
}

func tryLetters(ctx context.Context, t testing.TB, w rxcql.DeadLetterWriter, letters []rxcql.Letter) (err error) {
	t.Helper()
	within(t, "Write", func() { err = w.Write(ctx, letters) })
	return err
}

func closeLetters(t testing.TB, w rxcql.DeadLetterWriter) {
	t.Helper()
	var err error
	within(t, "Close", func() { err = w.Close() })
	must(t, err, "Close")
}

// ofRun returns the letters of one run.
func ofRun(all []rxcql.Letter, run string) (letters []rxcql.Letter) {
	for _, l := range all {
		if l.Run == run {
			letters = append(letters, l)
		}
	}
	return letters
}

// byNumber returns the letters of a run by their number.
func byNumber(letters []rxcql.Letter) map[int64]rxcql.Letter {
	found := map[int64]rxcql.Letter{}
	for _, l := range letters {
		found[l.N] = l
	}
	return found
}

// has fails the test unless the place has these letters of a run, as they were written.
func (p DeadLetterPlace) has(t testing.TB, when string, run string, wanted []rxcql.Letter) {
	t.Helper()
	found := byNumber(ofRun(p.Letters(), run))
	for _, w := range wanted {
		l, there := found[w.N]
		if !there {
			t.Fatalf("%s: letter %d is not there; %d others are", when, w.N, len(found))
		}
		l.Time, w.Time = l.Time.UTC(), w.Time.UTC()
		if !reflect.DeepEqual(l, w) {
			t.Fatalf("%s: letter %d came back as\n%s and was\n%s", when, w.N, shown(l), shown(w))
		}
	}
}

// shown is a letter for messages.
func shown(l rxcql.Letter) string {
	if len(l.Row) > 100 {
		return fmt.Sprintf("a letter with a row of %d bytes", len(l.Row))
	}
	return fmt.Sprintf("%+v with the row %q", l, l.Row)
}
