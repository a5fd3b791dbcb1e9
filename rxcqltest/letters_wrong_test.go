package rxcqltest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest"
)

// beginsAnew is a store of the letters of one run and those that run with it.
func beginsAnew() func(testing.TB) rxcqltest.DeadLetterPlace {
	return lettersPlace(func(_ testing.TB, s *wrongLetters) {
		var mu sync.Mutex
		open := 0
		s.open = func(ctx context.Context) (rxcql.DeadLetterWriter, error) {
			mu.Lock()
			defer mu.Unlock()
			if _, err := s.Letters.Open(ctx); err != nil {
				return nil, err
			}
			if open++; open == 1 && !slices.ContainsFunc(s.All, func(l rxcql.Letter) bool { return l.Run == "first" }) {
				s.All = nil
			}
			return s, nil
		}
		s.close = func() error {
			mu.Lock()
			defer mu.Unlock()
			open--
			return nil
		}
	})
}

// takesThePlace is a store in which a run that begins ends the writing of others.
func takesThePlace() func(testing.TB) rxcqltest.DeadLetterPlace {
	return lettersPlace(func(_ testing.TB, s *wrongLetters) {
		var mu sync.Mutex
		latest := 0
		s.open = func(ctx context.Context) (rxcql.DeadLetterWriter, error) {
			mu.Lock()
			defer mu.Unlock()
			if _, err := s.Letters.Open(ctx); err != nil {
				return nil, err
			}
			latest++
			mine := latest
			return &wrongLetters{Letters: s.Letters, write: func(ctx context.Context, letters []rxcql.Letter) error {
				mu.Lock()
				defer mu.Unlock()
				if mine != latest {
					return nil
				}
				return s.Letters.Write(ctx, letters)
			}}, nil
		}
	})
}

// keepsTheSlice is a store that shows what is in the slices now.
func keepsTheSlice() func(testing.TB) rxcqltest.DeadLetterPlace {
	return lettersPlace(func(_ testing.TB, s *wrongLetters) {
		var mu sync.Mutex
		var slices [][]rxcql.Letter
		s.write = func(ctx context.Context, letters []rxcql.Letter) error {
			mu.Lock()
			defer mu.Unlock()
			if letters[0].Error == "the row is bad" { // the engine uses its slice again too
				return s.Letters.Write(ctx, letters)
			}
			err := s.Letters.Write(ctx, nil)
			if err == nil {
				slices = append(slices, letters)
			}
			return err
		}
		s.shows = func(all []rxcql.Letter) []rxcql.Letter {
			mu.Lock()
			defer mu.Unlock()
			for _, letters := range slices {
				all = append(all, letters...)
			}
			return all
		}
	})
}

func leavesAGoroutine() func(testing.TB) rxcqltest.DeadLetterPlace {
	return lettersPlace(func(t testing.TB, s *wrongLetters) {
		over := make(chan struct{})
		var left sync.WaitGroup
		t.Cleanup(func() {
			close(over)
			left.Wait()
		})
		s.open = func(ctx context.Context) (rxcql.DeadLetterWriter, error) {
			left.Go(func() { <-over })
			if _, err := s.Letters.Open(ctx); err != nil {
				return nil, err
			}
			return s, nil
		}
	})
}

// onePerPage is a store whose key is the place in the source without the row.
func onePerPage() func(testing.TB) rxcqltest.DeadLetterPlace {
	return writes(func(letters []rxcql.Letter) []rxcql.Letter {
		last := int64(-1)
		return slices.DeleteFunc(letters, func(l rxcql.Letter) bool {
			again := l.Page == last
			last = l.Page
			return again
		})
	})
}

// leavesItsLock is a store that takes its lock before it opens the place.
func leavesItsLock() func(testing.TB) rxcqltest.DeadLetterPlace {
	return lettersPlace(func(_ testing.TB, s *wrongLetters) {
		var locked bool
		s.open = func(ctx context.Context) (rxcql.DeadLetterWriter, error) {
			if locked {
				return nil, errors.New("another run writes")
			}
			locked = true
			if _, err := s.Letters.Open(ctx); err != nil {
				return nil, err
			}
			return s, nil
		}
		s.close = func() error { locked = false; return nil }
	})
}
