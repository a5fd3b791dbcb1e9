package rxcqltest_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/rxcqltest"
)

// wrongLetters is a store of letters whose calls go through functions; those that are
// nil do what is right.
type wrongLetters struct {
	*jobtest.Letters
	check func(ctx context.Context) error
	open  func(ctx context.Context) (rxcql.DeadLetterWriter, error)
	write func(ctx context.Context, letters []rxcql.Letter) error
	close func() error
	shows func([]rxcql.Letter) []rxcql.Letter // what the place has
}

func (s *wrongLetters) Check(ctx context.Context) error {
	if s.check != nil {
		return s.check(ctx)
	}
	return s.Letters.Check(ctx)
}

func (s *wrongLetters) Open(ctx context.Context) (rxcql.DeadLetterWriter, error) {
	if s.open != nil {
		return s.open(ctx)
	}
	if _, err := s.Letters.Open(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *wrongLetters) Write(ctx context.Context, letters []rxcql.Letter) error {
	if s.write != nil {
		return s.write(ctx, letters)
	}
	return s.Letters.Write(ctx, letters)
}

func (s *wrongLetters) Close() error {
	if s.close != nil {
		return s.close()
	}
	return s.Letters.Close()
}

// lettersPlace is a place in memory. plant, which may be nil, makes the store wrong.
func lettersPlace(plant func(t testing.TB, s *wrongLetters)) func(testing.TB) rxcqltest.DeadLetterPlace {
	return func(t testing.TB) rxcqltest.DeadLetterPlace {
		s := &wrongLetters{Letters: &jobtest.Letters{}}
		if plant != nil {
			plant(t, s)
		}
		return rxcqltest.DeadLetterPlace{
			Store: func() rxcql.DeadLetterStore { return s },
			Letters: func() []rxcql.Letter {
				if s.shows != nil {
					return s.shows(s.Kept())
				}
				return s.Kept()
			},
			Fail: func(fail bool) { s.Break(map[bool]error{true: errDown}[fail]) },
		}
	}
}

func TestTheLettersInMemoryPassTheSuite(t *testing.T) {
	rxcqltest.TestDeadLetters(t, lettersPlace(nil))
	require.Empty(t, rxcqltest.LetterRules.Broken(t, lettersPlace(nil), ""))
}

// writes makes a store that writes something else than it was given.
func writes(change func([]rxcql.Letter) []rxcql.Letter) func(testing.TB) rxcqltest.DeadLetterPlace {
	return lettersPlace(func(_ testing.TB, s *wrongLetters) {
		s.write = func(ctx context.Context, letters []rxcql.Letter) error {
			return s.Letters.Write(ctx, change(slices.Clone(letters)))
		}
	})
}

// each changes every letter.
func each(change func(*rxcql.Letter)) func(testing.TB) rxcqltest.DeadLetterPlace {
	return writes(func(letters []rxcql.Letter) []rxcql.Letter {
		for i := range letters {
			change(&letters[i])
		}
		return letters
	})
}

func TestTheSuiteFindsWhatIsWrongWithAStoreOfLetters(t *testing.T) {
	const odd, failed = "Letters come back as they were", "A Write that cannot keep its letters fails"
	finds(t, rxcqltest.LetterRules, []plant[rxcqltest.DeadLetterPlace]{
		{"Check changes nothing", "Check writes a letter to see whether it can", lettersPlace(func(_ testing.TB, s *wrongLetters) {
			s.check = func(ctx context.Context) error { return s.Letters.Write(ctx, []rxcql.Letter{{Run: "a check"}}) }
		})},
		{"Check changes nothing", "Check makes the place anew", lettersPlace(func(_ testing.TB, s *wrongLetters) {
			s.check = func(context.Context) error { s.All = nil; return nil }
		})},
		{odd, "it has no index below 0", each(func(l *rxcql.Letter) { l.Index = max(l.Index, 0) })},
		{odd, "it keeps the page in 32 bits", each(func(l *rxcql.Letter) { l.Page = int64(int32(l.Page)) })},
		{odd, "it keeps times in seconds", each(func(l *rxcql.Letter) {
			if l.Error == "" {
				l.Time = l.Time.Truncate(time.Second)
			}
		})},
		{odd, "it has no row where that is null", each(func(l *rxcql.Letter) {
			if string(l.Row) == "null" {
				l.Row = nil
			}
		})},
		{"A letter with a row of 1 MB comes back", "it cuts rows", each(func(l *rxcql.Letter) { l.Row = l.Row[:min(len(l.Row), 1<<16)] })},
		{"Letters are durable when Write returns", "it writes when it is closed", lettersPlace(func(_ testing.TB, s *wrongLetters) {
			var waiting []rxcql.Letter
			s.write = func(ctx context.Context, letters []rxcql.Letter) error {
				if letters[0].Error == "the row is bad" || letters[0].Run != "a run" {
					return s.Letters.Write(ctx, letters)
				}
				if err := s.Letters.Write(ctx, nil); err != nil {
					return err
				}
				waiting = append(waiting, letters...)
				return nil
			}
			s.close = func() error {
				_ = s.Letters.Write(context.Background(), waiting)
				waiting = nil
				return nil
			}
		})},
		{"Every letter is kept once, those of a run in the order of their numbers", "it writes a letter twice where there are many",
			writes(func(letters []rxcql.Letter) []rxcql.Letter {
				if len(letters) > 1000 {
					letters = append(letters, letters[7])
				}
				return letters
			})},
		{"Every letter is kept once, those of a run in the order of their numbers", "it gives the latest first", lettersPlace(func(_ testing.TB, s *wrongLetters) {
			s.shows = func(letters []rxcql.Letter) []rxcql.Letter { slices.Reverse(letters); return letters }
		})},
		{"Every letter is kept once, those of a run in the order of their numbers", "it loses some of many",
			writes(func(letters []rxcql.Letter) []rxcql.Letter { return letters[:min(len(letters), 1000)] })},
		{"A run adds to what earlier runs have left", "it begins anew", beginsAnew()},
		{"Two runs at once lose nothing", "the second takes the first's place", takesThePlace()},
		{"The slice given to Write is the caller's again", "it keeps the slice", keepsTheSlice()},
		{"Close leaves no goroutine behind", "it leaves one", leavesAGoroutine()},
		{"In a run a page is settled when the letters of its rows are kept", "it keeps one letter a page", onePerPage()},
		{failed, "it says nothing", lettersPlace(func(_ testing.TB, s *wrongLetters) {
			s.write = func(ctx context.Context, letters []rxcql.Letter) error {
				_ = s.Letters.Write(ctx, letters)
				return nil
			}
		})},
		{"A failure leaves the letters that were kept, and the next run goes on", "it loses the letters before", lettersPlace(func(_ testing.TB, s *wrongLetters) {
			s.write = func(ctx context.Context, letters []rxcql.Letter) error {
				err := s.Letters.Write(ctx, letters)
				if err != nil {
					s.All = nil
				}
				return err
			}
		})},
		{"A failure leaves the letters that were kept, and the next run goes on", "it never works again", lettersPlace(func(_ testing.TB, s *wrongLetters) {
			var broken atomic.Bool
			s.write = func(ctx context.Context, letters []rxcql.Letter) error {
				if broken.Load() {
					return errDown
				}
				err := s.Letters.Write(ctx, letters)
				broken.Store(err != nil)
				return err
			}
		})},
		{"An Open that fails keeps no later run out", "it leaves its lock", leavesItsLock()},
		{"A Write that is cut off has kept all of its letters or says that it has not", "it stops and says nothing", lettersPlace(func(_ testing.TB, s *wrongLetters) {
			s.write = func(ctx context.Context, letters []rxcql.Letter) error {
				for i := range letters {
					if ctx.Err() != nil {
						return nil //nolint:nilerr // this is what is wrong
					}
					if err := s.Letters.Write(ctx, letters[i:i+1]); err != nil {
						return err
					}
				}
				return nil
			}
		})},
		{"Errors show nothing of a row", "it shows the letter that it could not keep", lettersPlace(func(_ testing.TB, s *wrongLetters) {
			s.write = func(ctx context.Context, letters []rxcql.Letter) error {
				if err := s.Letters.Write(ctx, letters); err != nil {
					return fmt.Errorf("%s: %w", letters[0].Row, err)
				}
				return nil
			}
		})},
	})
}
