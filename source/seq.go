package source

import (
	"context"
	"errors"
	"iter"

	"github.com/rxcql/rxcql"
)

// Seq reads an iterator, in the goroutine that runs the stream. Rows go on in
// pages of up to 512 rows; a page that is not full waits for the iterator, so
// for rows that come slowly use Chan or PageRows(1). An error that the iterator
// yields ends the stream with that error. Whether the stream can run more than
// once is the iterator's affair. The iterator is left (its yield returns false)
// as soon as the stream ends; while it computes a row it cannot be interrupted.
func Seq[T any](seq iter.Seq2[T, error], opts ...SeqOption) rxcql.Stream[T] {
	cfg := memoryConfig{pageRows: defaultPageRows}
	var errs []error
	for _, opt := range opts {
		if opt == nil {
			errs = append(errs, errNilOption)
			continue
		}
		errs = append(errs, opt.applySeq(&cfg))
	}
	if seq == nil {
		errs = append(errs, errors.New("the iterator is nil"))
	}
	info := rxcql.StageInfo{Name: "Seq", Source: true, NotResumable: true, Err: errors.Join(errs...)}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out rxcql.Observer[T]) error {
		defer st.Input().Done()
		b := newPaging(st, out, cfg.pageRows)
		defer b.drop()
		var err error
		for row, rowErr := range seq {
			if rowErr != nil {
				if err = b.deliver(ctx); err == nil {
					err = st.Fail(rowErr)
				}
				break
			}
			if err = b.add(ctx, row); err != nil {
				break
			}
			// After Stop a row that the iterator has given is still written.
			if err = b.interrupted(ctx); err != nil {
				break
			}
		}
		return b.end(ctx, err)
	})
}
