package rxcqltest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/rxcql/rxcql"
)

// keepingRules are about letters that are kept.
func keepingRules() []rule[DeadLetterPlace] {
	return []rule[DeadLetterPlace]{
		{"Check changes nothing", func(t testing.TB, p DeadLetterPlace) {
			store := p.Store()
			for range 2 {
				within(t, "Check", func() { _ = store.Check(t.Context()) })
			}
			if letters := p.Letters(); len(letters) > 0 {
				t.Fatalf("after Check there are %d letters", len(letters))
			}
			w := openLetters(t, store)
			writeLetters(t, w, lettersOf("a run", 1, 1))
			within(t, "Check", func() { _ = p.Store().Check(t.Context()) }) // as of another pipeline
			writeLetters(t, w, lettersOf("a run", 2, 2))
			closeLetters(t, w)
			p.has(t, "after a Check during a run", "a run", lettersOf("a run", 1, 2))
			var err error
			within(t, "Check", func() { err = store.Check(t.Context()) })
			must(t, err, "Check of a place that is there")
			if n := len(p.Letters()); n != 2 {
				t.Fatalf("after Check there are %d letters where 2 were written", n)
			}
		}},
		{"Letters come back as they were", func(t testing.TB, p DeadLetterPlace) {
			w := openLetters(t, p.Store())
			odd := oddLetters()
			writeLetters(t, w, odd)
			closeLetters(t, w)
			p.has(t, "after the run", odd[0].Run, odd)
		}},
		{"A letter with a row of 1 MB comes back", func(t testing.TB, p DeadLetterPlace) {
			large := letterOf("a run", 1)
			large.Row = []byte(`"` + strings.Repeat("x", largeRow) + `"`)
			w := openLetters(t, p.Store())
			writeLetters(t, w, []rxcql.Letter{large, letterOf("a run", 2)})
			closeLetters(t, w)
			p.has(t, "after the run", "a run", []rxcql.Letter{large, letterOf("a run", 2)})
		}},
		{"Letters are durable when Write returns", func(t testing.TB, p DeadLetterPlace) {
			w := openLetters(t, p.Store())
			for n := 1; n <= 3; n++ {
				writeLetters(t, w, lettersOf("a run", n, n))
				p.has(t, "when Write has returned", "a run", lettersOf("a run", 1, n))
			}
			closeLetters(t, w)
		}},
		{"Every letter is kept once, those of a run in the order of their numbers", func(t testing.TB, p DeadLetterPlace) {
			w := openLetters(t, p.Store())
			writeLetters(t, w, lettersOf("a run", 1, 1))
			writeLetters(t, w, lettersOf("a run", 2, manyLetters+1))
			writeLetters(t, w, lettersOf("a run", manyLetters+2, manyLetters+5))
			closeLetters(t, w)
			last := int64(0)
			for _, l := range ofRun(p.Letters(), "a run") {
				if l.N != last+1 {
					t.Fatalf("letter %d follows letter %d", l.N, last)
				}
				last = l.N
			}
			if last != manyLetters+5 {
				t.Fatalf("there are %d letters where %d were written", last, manyLetters+5)
			}
		}},
		{"A run adds to what earlier runs have left", func(t testing.TB, p DeadLetterPlace) {
			store := p.Store()
			runs := []string{"20260101T000000Z-a", "20260101T000000Z-b", "20250101T000000Z-c"}
			for i, run := range runs {
				if i == 2 {
					store = p.Store()
				}
				w := openLetters(t, store)
				if i != 1 { // one run leaves none
					writeLetters(t, w, lettersOf(run, 1, 3))
				}
				closeLetters(t, w)
			}
			for _, run := range []string{runs[0], runs[2]} {
				p.has(t, "after all runs", run, lettersOf(run, 1, 3))
			}
			if n := len(p.Letters()); n != 6 {
				t.Fatalf("there are %d letters where 6 were written", n)
			}
		}},
		{"Two runs at once lose nothing", twoRuns},
		{"The slice given to Write is the caller's again", func(t testing.TB, p DeadLetterPlace) {
			w := openLetters(t, p.Store())
			letters := lettersOf("a run", 1, 3)
			writeLetters(t, w, letters)
			clear(letters)
			copy(letters, lettersOf("a run", 4, 5))
			writeLetters(t, w, letters[:2])
			clear(letters)
			closeLetters(t, w)
			p.has(t, "after the slices were used again", "a run", lettersOf("a run", 1, 5))
		}},
		{"Close leaves no goroutine behind", func(t testing.TB, p DeadLetterPlace) {
			leavesNothing(t, p.IgnoreGoroutines, func(ctx context.Context) {
				w, err := p.Store().Open(ctx)
				must(t, err, "Open")
				must(t, w.Write(ctx, lettersOf("a run", 1, 10)), "Write")
				must(t, w.Close(), "Close")
			})
		}},
		{"In a run a page is settled when the letters of its rows are kept", lettersOfARun},
	}
}

// oddLetters are letters that are hard to keep.
func oddLetters() []rxcql.Letter {
	letters := lettersOf("20260229T010203Z-0a1b2c", 1, 7)
	letters[0].Error, letters[0].Range, letters[0].Page = "", "all", 0
	letters[1].Error, letters[1].Index = "two\nlines, \"quoted\" \\ <&>\x00\u2028 größe", -1
	letters[2].Range, letters[2].Page = "(-9223372036854775808, 9223372036854775807]", 1<<40
	letters[3].Row = []byte("null")
	letters[4].Row = []byte(`"<&>\u0000\n` + "\u2028\U0001F600" + `"`)
	letters[5].Row = []byte(`{"b":1.0,"a":12345678901234567890123,"c":[],"B":1e-400}`)
	letters[6].Stage, letters[6].Type, letters[6].Range = `NDJSON a "file".ndjson`, "map[string]*main.T[go.shape.int]", "mixed"
	return letters
}

// twoRuns has two runs write in turn; the second may be refused.
func twoRuns(t testing.TB, p DeadLetterPlace) {
	first := openLetters(t, p.Store())
	writeLetters(t, first, lettersOf("first", 1, 2))
	var second rxcql.DeadLetterWriter
	var err error
	within(t, "Open of a second run", func() { second, err = p.Store().Open(t.Context()) })
	if err != nil { // the second gives up, and leaves everything as it was
		writeLetters(t, first, lettersOf("first", 3, 20))
		closeLetters(t, first)
		p.has(t, "after a second run was refused", "first", lettersOf("first", 1, 20))
		return
	}
	writeLetters(t, second, lettersOf("second", 1, 2))
	writeLetters(t, first, lettersOf("first", 3, 4))
	var errs [2]error
	var both sync.WaitGroup
	for i, w := range []rxcql.DeadLetterWriter{first, second} {
		both.Go(func() {
			for n := 5; n <= 20 && errs[i] == nil; n++ {
				errs[i] = w.Write(t.Context(), lettersOf([]string{"first", "second"}[i], n, n))
			}
		})
	}
	within(t, "Write of two runs", both.Wait)
	must(t, errors.Join(errs[:]...), "Write of two runs at once")
	closeLetters(t, second)
	closeLetters(t, first)
	for i, run := range []string{"first", "second"} {
		wanted := lettersOf(run, 1, 20)
		if i == 1 {
			wanted = append(lettersOf(run, 1, 2), lettersOf(run, 5, 20)...)
		}
		p.has(t, "after two runs at once", run, wanted)
	}
}
