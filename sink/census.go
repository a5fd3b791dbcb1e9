package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// census is which tables the sinks in a Tee or a Route write, including those in Tees, Routes and
// Throughs inside it and in sinks of users: every sink.Table reports, in Check and in Open, to the
// census in its context. A sink whose rows have timestamps of their own does not report: the order
// of rows does not matter to it.
type census struct {
	mu  sync.Mutex
	all []*counted
}

// counted is one sink.Table.
type counted struct {
	id    string   // id of its table
	stage string   // name of its own stage
	late  []string // stages before it that may hand rows on later than they come, or in another order
}

type censusKey struct{}

// withCensus returns the census of a context, and makes one if there is none.
func withCensus(ctx context.Context) (context.Context, *census) {
	if c := censusOf(ctx); c != nil {
		return ctx, c
	}
	c := &census{}
	return context.WithValue(ctx, censusKey{}, c), c
}

func censusOf(ctx context.Context) *census {
	c, _ := ctx.Value(censusKey{}).(*census)
	return c
}

// joinCensus adds a sink of a table. Without a census it does nothing.
func joinCensus(ctx context.Context, id, stage string) {
	if c := censusOf(ctx); c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all = append(c.all, &counted{id: id, stage: stage})
	}
}

// during returns the sinks that joined during a call.
func (c *census) during(call func() error) ([]*counted, error) {
	before := c.size()
	err := call()
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.all[before:]), err
}

func (c *census) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all)
}

// behind notes, for the sinks that join during a call, that these stages are before them.
func behind(ctx context.Context, stages []string, call func() error) error {
	c := censusOf(ctx)
	if c == nil {
		return call()
	}
	joined, err := c.during(call)
	for _, t := range joined {
		t.late = append(t.late, stages...)
	}
	return err
}

// together returns the branches of a Tee or a Route, which name says, in groups that take a page
// together: a branch alone, or all that share a table, in the order of the first of each group. It
// is an error if rows come late to a shared table: the place of a row in the stream would not be
// the place of its write.
func together(name string, branches [][]*counted) (groups [][]int, err error) {
	group := make([]int, len(branches)) // for each branch, the first branch of its group
	var errs []error
	for i, here := range branches {
		group[i] = i
		for j, there := range branches[:i] {
			shared := sharedBy(there, here)
			if len(shared) == 0 {
				continue
			}
			errs = append(errs, inStep(name, j, i, shared)...)
			into, from := min(group[i], group[j]), max(group[i], group[j])
			for k := range group[:i+1] {
				if group[k] == from {
					group[k] = into
				}
			}
		}
	}
	for first := range branches {
		var members []int
		for i, g := range group {
			if g == first {
				members = append(members, i)
			}
		}
		if members != nil {
			groups = append(groups, members)
		}
	}
	return groups, errors.Join(errs...)
}

// sharedBy returns the sinks of two branches that write a table which both branches write.
func sharedBy(a, b []*counted) (shared []*counted) {
	writes := func(branch []*counted, id string) bool {
		return slices.ContainsFunc(branch, func(t *counted) bool { return t.id == id })
	}
	for _, t := range a {
		if writes(b, t.id) {
			shared = append(shared, t)
		}
	}
	for _, t := range b {
		if writes(a, t.id) {
			shared = append(shared, t)
		}
	}
	return shared
}

// inStep returns errors for sinks to which rows come late.
func inStep(name string, a, b int, shared []*counted) (errs []error) {
	for _, t := range shared {
		if len(t.late) > 0 {
			errs = append(errs, fmt.Errorf("sinks %d and %d write one table (stage %s), and before one of them stands %s, "+
				"which may hand rows on later than they come or in another order: a row could win over one that comes after it; "+
				"put that operator before the %s, write the table from one branch, or give the rows timestamps of their own (sink.TimestampOf)",
				a+1, b+1, t.stage, strings.Join(t.late, ", "), name))
		}
	}
	return errs
}
