package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// SeqFrom is Seq for rows that can be read from any position, in the same order each time, such as
// the lines of a file. It can be part of a job with a checkpoint. seq is called once for each run,
// with the number of rows to leave out because they are settled: 0 when a job begins. what names
// the rows, such as the path of the file or, better, a hash of its content: a job goes on only if
// what is the same.
func SeqFrom[T any](what string, seq func(from int64) iter.Seq2[T, error], opts ...SeqOption) rxcql.Stream[T] {
	cfg, err := seqConfig(opts)
	errs := []error{err}
	if seq == nil {
		errs = append(errs, errors.New("the function is nil"))
	}
	if what == "" {
		errs = append(errs, errors.New("what is empty: name the rows"))
	}
	info := rxcql.StageInfo{Name: "Seq", Source: true, Err: errors.Join(errs...)}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		defer st.Input().Done()
		done, begun, err := st.Resume(rxcql.Identity{Facts: []rxcql.Fact{{Name: "rows", Value: what}}})
		if err != nil {
			return err
		}
		if len(done) > 0 {
			if cfg.measure != nil {
				st.Measured(1, 1)
			}
			return out.Done(ctx, false)
		}
		var from int64
		var track *flow.Track
		if len(begun) > 0 {
			track = begun[0]
			_, state := track.From()
			if from, err = ordinal(state); err != nil {
				return st.Fail(err)
			}
		}
		b := newPaging(ctx, st, out, cfg.pageRows, track)
		defer b.drop()
		b.measure = cfg.measure
		b.state = func() []byte { return strconv.AppendInt(nil, from+b.taken, 10) }
		return b.all(ctx, seq(from))
	})
}

// ordinal reads a state: the number of rows before the next page. A part that was begun and then
// read with other page states has no state.
func ordinal(state []byte) (int64, error) {
	if state == nil {
		return 0, nil
	}
	n, err := strconv.ParseInt(string(state), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: a position is not a number", rxcql.ErrCheckpointDamaged)
	}
	return n, nil
}
