package rxcql

import (
	"errors"
	"fmt"
)

// Hook is a value that implements at least one of the one-method interfaces
// below; it is how metrics are fed. Hooks are called from many goroutines at
// once, and hold up the caller: they must be quick.
type Hook any

// PageReadHook is told of every page read: the source's stage name, its rows
// (0 for an empty page) and its bytes as received.
type PageReadHook interface {
	PageRead(stage string, rows int, bytes int64)
}

// RowsWrittenHook is told of rows that became durable in a sink.
type RowsWrittenHook interface {
	RowsWritten(stage string, rows int)
}

// RetryHook is told of every attempt that a stage repeats, with the error that
// caused it. Repeats of checks and of writes of dead letters are only counted
// (Report.Retried).
type RetryHook interface {
	Retried(stage string, err error)
}

// RowFailedHook is told of every row that failed and was skipped or becomes a
// dead letter, with its error; see WithRowErrors.
type RowFailedHook interface {
	RowFailed(stage string, err error)
}

func isHook(h Hook) bool {
	switch h.(type) {
	case PageReadHook, RowsWrittenHook, RetryHook, RowFailedHook:
		return true
	}
	return false
}

// WithHooks gives hooks; see Hook.
func WithHooks(hooks ...Hook) Option {
	return func(c *config) error {
		var errs []error
		for _, h := range hooks {
			if !isHook(h) {
				errs = append(errs, fmt.Errorf("WithHooks: %T implements none of PageReadHook, RowsWrittenHook, RetryHook, RowFailedHook", h))
			}
		}
		c.hooks = append(c.hooks, hooks...)
		return errors.Join(errs...)
	}
}
