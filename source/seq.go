package source

import (
	"context"
	"errors"
	"iter"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// Seq reads an iterator, in the goroutine that runs the stream, in pages of up to 512 rows. A page
// that is not full waits for the iterator, so for rows that come slowly use Chan or PageRows(1). An
// error that the iterator yields ends the stream with that error. Whether the stream can run more
// than once depends on the iterator. As soon as the stream ends, the iterator's yield returns
// false; while the iterator computes a row it cannot be interrupted.
func Seq[T any](seq iter.Seq2[T, error], opts ...SeqOption) rxcql.Stream[T] {
	cfg, err := seqConfig(opts)
	if seq == nil {
		err = errors.Join(err, errors.New("the iterator is nil"))
	}
	info := rxcql.StageInfo{
		Name: "Seq", Source: true, NotResumable: true, Err: err,
		NotResumableReason: "an iterator cannot be told where to go on; use source.SeqFrom, whose function gets the number of rows to leave out",
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		defer st.Input().Done()
		b := newPaging(ctx, st, out, cfg.pageRows, nil)
		defer b.drop()
		b.measure = cfg.measure
		return b.all(ctx, seq)
	})
}

func seqConfig(opts []SeqOption) (memoryConfig, error) {
	cfg := memoryConfig{pageRows: flow.DefaultPageRows}
	err := option.Apply(opts, &cfg, SeqOption.applySeq)
	return cfg, err
}

// all reads an iterator to its end.
func (b *paging[T]) all(ctx context.Context, seq iter.Seq2[T, error]) error {
	var err error
	for row, rowErr := range seq {
		if rowErr != nil {
			if err = b.deliver(ctx); err == nil {
				err = b.st.FailUserFunc(rowErr, row)
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
}
