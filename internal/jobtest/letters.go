package jobtest

import (
	"context"
	"slices"
	"sync"

	"github.com/rxcql/rxcql"
)

// Letters is a store of dead letters in memory. Everything that is asked of it fails
// while Break has given it an error.
type Letters struct {
	mu     sync.Mutex
	broken error
	All    []rxcql.Letter // in the order written; to be looked at after the run, or by Kept
}

// Check finds nothing wrong.
func (l *Letters) Check(context.Context) error { return nil }

// Open returns the store itself.
func (l *Letters) Open(context.Context) (rxcql.DeadLetterWriter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return nil, l.broken
	}
	return l, nil
}

// Close does nothing.
func (l *Letters) Close() error { return nil }

// Write keeps letters.
func (l *Letters) Write(_ context.Context, letters []rxcql.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return l.broken
	}
	l.All = append(l.All, letters...)
	return nil
}

// Break makes everything fail with an error, and with nil makes it work again.
func (l *Letters) Break(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = err
}

// Kept are the letters so far.
func (l *Letters) Kept() []rxcql.Letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.All)
}
