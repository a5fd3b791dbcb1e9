package flow

import "context"

// Observer takes the pages of a stream. Calls never overlap, and each call happens before the next
// one, in whichever goroutine it is made. The context is for the call alone: it may belong to an
// operator that is done before the run is.
type Observer[T any] interface {
	// Next takes a page. The page and its rows are the caller's again when Next returns; see Page.
	// An error ends the stream, and is not wrapped on its way upstream.
	Next(ctx context.Context, p *Page[T]) error
	// Done says that no page follows. The observer hands on what it keeps, and calls Done
	// downstream. Done is called at most once, and never after an error. stopped says that reading
	// was stopped early (rxcql.Pipeline.Stop): what is not whole then, such as an open group, must
	// not be handed on.
	Done(ctx context.Context, stopped bool) error
}

// Demander may be implemented by an Observer to say how many more rows it needs; 0 means no limit.
// Sources ask it, and read no more than that.
type Demander interface{ Demand() int64 }

// mostLimit is the largest limit: a larger one counts as none. Nobody reads that many rows, and
// sums of limits do not overflow.
const mostLimit = 1 << 48

// DemandOf returns how many more rows out can use, 0 for no limit.
func DemandOf[T any](out Observer[T]) int64 {
	if l, ok := out.(Demander); ok {
		if n := l.Demand(); n > 0 && n < mostLimit {
			return n
		}
	}
	return 0
}
