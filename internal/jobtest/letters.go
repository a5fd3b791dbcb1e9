package jobtest

import (
	"context"
	"sync"

	"github.com/rxcql/rxcql"
)

// Letters is a store of dead letters in memory.
type Letters struct {
	mu  sync.Mutex
	All []rxcql.Letter // in the order written; to be looked at after the run
}

// Check finds nothing wrong.
func (l *Letters) Check(context.Context) error { return nil }

// Open returns the store itself.
func (l *Letters) Open(context.Context) (rxcql.LetterWriter, error) { return l, nil }

// Close does nothing.
func (l *Letters) Close() error { return nil }

// Write keeps letters.
func (l *Letters) Write(_ context.Context, letters []rxcql.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.All = append(l.All, letters...)
	return nil
}
