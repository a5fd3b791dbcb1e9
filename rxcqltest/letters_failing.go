package rxcqltest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rxcql/rxcql"
)

// lettersFailingRules are about letters that cannot be kept.
func lettersFailingRules() []rule[DeadLetterPlace] {
	return []rule[DeadLetterPlace]{
		{"A Write that cannot keep its letters fails", func(t testing.TB, p DeadLetterPlace) {
			need(t, p.Fail != nil, "Fail")
			w := openLetters(t, p.Store())
			writeLetters(t, w, lettersOf("a run", 1, 1))
			p.Fail(true)
			err := tryLetters(t.Context(), t, w, lettersOf("a run", 2, 3))
			p.Fail(false)
			within(t, "Close after a Write that failed", func() { _ = w.Close() })
			if err == nil {
				t.Fatalf("Write returned nil while the place failed")
			}
		}},
		{"A failure leaves the letters that were kept, and the next run goes on", func(t testing.TB, p DeadLetterPlace) {
			need(t, p.Fail != nil, "Fail")
			w := openLetters(t, p.Store())
			writeLetters(t, w, lettersOf("first", 1, 5))
			p.Fail(true)
			_ = tryLetters(t.Context(), t, w, lettersOf("first", 6, 9))
			within(t, "Close after a Write that failed", func() { _ = w.Close() })
			p.Fail(false)
			p.has(t, "after a Write that failed", "first", lettersOf("first", 1, 5))
			w = openLetters(t, p.Store())
			writeLetters(t, w, lettersOf("second", 1, 5))
			closeLetters(t, w)
			p.has(t, "after the next run", "first", lettersOf("first", 1, 5))
			p.has(t, "after the next run", "second", lettersOf("second", 1, 5))
		}},
		{"An Open that fails keeps no later run out", func(t testing.TB, p DeadLetterPlace) {
			need(t, p.Fail != nil, "Fail")
			var w rxcql.DeadLetterWriter
			var err error
			store := p.Store()
			p.Fail(true)
			within(t, "Open", func() { w, err = store.Open(t.Context()) })
			if err == nil && w != nil { // it finds out later
				within(t, "Close", func() { _ = w.Close() })
			}
			p.Fail(false)
			for _, store := range []rxcql.DeadLetterStore{store, p.Store()} {
				w = openLetters(t, store)
				closeLetters(t, w)
			}
		}},
		{"A Write that is cut off has kept all of its letters or says that it has not", func(t testing.TB, p DeadLetterPlace) {
			for looks := range mostLooks {
				run := fmt.Sprint("run ", looks)
				w := openLetters(t, p.Store())
				err := tryLetters(newFuse(t.Context(), looks), t, w, lettersOf(run, 1, 50))
				within(t, "Close after a Write that was cut off", func() { _ = w.Close() })
				if err == nil {
					p.has(t, "after a Write that was cut off and returned nil", run, lettersOf(run, 1, 50))
				}
				if looks > 0 && err == nil {
					return
				}
			}
		}},
		{"Errors show nothing of a row", func(t testing.TB, p DeadLetterPlace) {
			const secret = "s3cret"
			letter := letterOf("a run", 1)
			letter.Row = []byte(`"` + secret + `"`)
			w := openLetters(t, p.Store())
			errs := []error{tryLetters(ended(t), t, w, []rxcql.Letter{letter})}
			within(t, "Close", func() { errs = append(errs, w.Close()) })
			if p.Fail != nil {
				w = openLetters(t, p.Store())
				p.Fail(true)
				errs = append(errs, tryLetters(t.Context(), t, w, []rxcql.Letter{letter}))
				within(t, "Close", func() { errs = append(errs, w.Close()) })
				p.Fail(false)
			}
			if err := errors.Join(errs...); err != nil && strings.Contains(err.Error(), secret) {
				t.Fatalf("an error shows the row: %v", err)
			}
		}},
	}
}
