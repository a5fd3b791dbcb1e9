package flow

import "context"

// Observer takes the pages of a stream. Calls never overlap, and every call
// happens before the next one, whatever goroutine makes it. The context is for the
// call alone: it may be that of an operator which is done before the run is.
type Observer[T any] interface {
	// Next takes a page. The page and its rows are the caller's again when the
	// call returns; see Page. An error ends the stream, and is not wrapped on
	// its way up.
	Next(ctx context.Context, p *Page[T]) error
	// Done says that no page follows: the observer hands on what it keeps and
	// calls Done downstream. It is called at most once, never after an error.
	// stopped says that reading was stopped early (rxcql.Pipeline.Stop): what is not
	// whole then, such as an open group, must not be handed on.
	Done(ctx context.Context, stopped bool) error
}

// Demander is what an Observer may implement to say that it needs only so many
// rows more; 0 means no limit. Sources ask it to read no more than that.
type Demander interface{ Demand() int64 }

// mostLimit is from where a limit is none: no one reads that many rows, and sums
// of limits stay clear of an overflow.
const mostLimit = 1 << 48

// DemandOf returns the number of rows that out can still use, 0 for no limit.
func DemandOf[T any](out Observer[T]) int64 {
	if l, ok := out.(Demander); ok {
		if n := l.Demand(); n > 0 && n < mostLimit {
			return n
		}
	}
	return 0
}
