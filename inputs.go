package rxcql

import (
	"context"
	"slices"
	"sync"

	"github.com/rxcql/rxcql/flow"
)

// What is still to come into a stage is known by what pages say of all parts of a source
// (flow.AllParts). A stage that reads a single source hears of it with the first page. Where others
// may follow, something must stand for them from the beginning:
//
//   - A stage with several inputs says, before all else, that one reading for each of them begins.
//     It says that this one has ended when the first source of the input is known. If it reads by
//     attempts (StageInfo.Attempts) only one of them is expected, which is the first to be known.
//   - When an input has ended, so have all sources that came through it, also if an operator has
//     ended it early (Take).
//   - Where an attempt to read has failed, so have its sources. Until it is known what follows,
//     another reading stands for that.
//
// The engine does so for all stages, in pages without rows.

// inputs is one call of the run function of a stage that has several inputs, or reads one again.
type inputs struct {
	st      *Stage
	account *flow.Account

	mu    sync.Mutex
	begun []bool         // the inputs that have been subscribed to
	stand []*flow.Origin // for those of which no source is known yet, else nil
	next  *flow.Origin   // for the attempt that follows one that has failed; nil if there is none
}

type inputsKey struct{}

// follows reports whether the engine follows what comes through the inputs of a node. Lanes are no
// inputs: each has all sources, and the stage that joins them says what all lanes have said.
func (n *node) follows() bool {
	lanes := slices.ContainsFunc(n.inputs, func(in *node) bool { return in.lane != n.lane })
	return !lanes && (len(n.inputs) > 1 || n.info.Attempts)
}

// withInputs returns the context for a call of the run function of a stage that hands its pages to
// out. It tells out what is to be expected.
func withInputs[T any](ctx context.Context, st *Stage, out flow.Observer[T]) (context.Context, error) {
	if !st.node.follows() {
		return ctx, nil
	}
	in := &inputs{st: st, account: st.Account(true)}
	in.account.UsedIn(ctx)
	var all flow.Advances
	if n := len(st.node.inputs); !st.node.info.Attempts {
		in.begun, in.stand = make([]bool, n), make([]*flow.Origin, n)
		for i := range in.stand {
			in.stand[i] = st.Origin()
			all.Add(flow.Begins(in.stand[i]))
		}
	}
	return context.WithValue(ctx, inputsKey{}, in), flow.Tell(ctx, in.account, &all, out)
}

// inputsOf returns the inputs of the call that a subscription by a stage belongs to; nil if the
// engine does not follow these.
func inputsOf(ctx context.Context, st *Stage) *inputs {
	if in, _ := ctx.Value(inputsKey{}).(*inputs); in != nil && in.st == st {
		return in
	}
	return nil
}

// begin returns which input a subscription to a node is; -1 if it is none, since it is read once
// more.
func (in *inputs) begin(n *node) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i, begun := range in.begun {
		if !begun && in.st.node.inputs[i] == n {
			in.begun[i] = true
			return i
		}
	}
	return -1
}

// known adds that nothing needs to stand any more for what is read now, and reports whether
// something did. The number is that of begin.
func (in *inputs) known(number int, all *flow.Advances) (did bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if number >= 0 && in.stand[number] != nil {
		all.Add(flow.Ends(in.stand[number]))
		in.stand[number], did = nil, true
	}
	if in.next != nil {
		all.Add(flow.Ends(in.next))
		in.next, did = nil, true
	}
	return did
}

// failed adds that an attempt has failed, and that another may follow.
func (in *inputs) failed(all *flow.Advances) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.next == nil {
		in.next = in.st.Origin()
		all.Add(flow.Begins(in.next))
	}
}

// heardSources are the sources that pages have named and that have not ended.
type heardSources struct {
	open []*flow.Origin
	last *flow.Origin // of the last page
}

// hear notes the source of a page, and reports whether it is a new one.
func (h *heardSources) hear(page flow.Position) (isNew bool) {
	o := page.Source
	switch {
	case o == nil || page.Range < 0 && page.Range != flow.AllParts:
		return false
	case page.Range == flow.AllParts && page.Last:
		h.open = slices.DeleteFunc(h.open, func(each *flow.Origin) bool { return each == o })
		h.last = nil
		return false
	case o == h.last:
		return false
	}
	h.last = o
	if slices.Contains(h.open, o) {
		return false
	}
	h.open = append(h.open, o)
	return true
}

// ended adds that all of them have ended.
func (h *heardSources) ended(all *flow.Advances) {
	for _, o := range h.open {
		all.Add(flow.Ends(o))
	}
	h.open, h.last = nil, nil
}

// input is what a stage reads one of its inputs by.
type input[T any] struct {
	op     flow.Observer[T]
	in     *inputs
	number int
	heard  heardSources
}

// Next hands a page on, and says before the first page of a source that this is known. Behind the
// page it would be too late: whoever keeps the page would keep that too, and not the rest.
func (i *input[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	if i.heard.hear(p.Position) {
		var all flow.Advances
		if i.in.known(i.number, &all) {
			all.Add(flow.Begins(p.Source))
		}
		if err := flow.Tell(ctx, i.in.account, &all, i.op); err != nil {
			i.lose(p, err)
			return err
		}
	}
	return i.op.Next(ctx, p)
}

// lose counts the rows of a page that is not handed on, since the stream has ended with err.
func (i *input[T]) lose(p *flow.Page[T], err error) {
	st := i.in.st
	st.CountIn(len(p.Rows))
	if flow.IsEnd(err) && !st.node.info.Drops { // otherwise they are not dropped on purpose
		st.CountDropped(len(p.Rows))
	}
}

// Done says that nothing more comes of the input, unless reading was stopped: then more would have
// come.
func (i *input[T]) Done(ctx context.Context, stopped bool) error {
	if !stopped {
		var all flow.Advances
		i.in.known(i.number, &all)
		if !i.in.st.node.info.Attempts { // which end with the stream
			i.heard.ended(&all)
		}
		if err := flow.Tell(ctx, i.in.account, &all, i.op); err != nil {
			return err
		}
	}
	return i.op.Done(ctx, stopped)
}

func (i *input[T]) Demand() int64 { return flow.DemandOf(i.op) }
