package main

import (
	"context"
	"fmt"
	"slices"
)

// contender is one side of a comparison.
type contender struct {
	label string
	child string
	job   job
	// before and after surround each run, outside of what is measured: to make
	// a copy's target, and to prove the copy.
	before func(ctx context.Context, j *job) error
	after  func(ctx context.Context, j job, o outcome) error
	// args returns the arguments of a program, for a run whose target is known.
	args func(j job) []string
}

func (c contender) run(ctx context.Context, b *bench, profile string) (o outcome, err error) {
	j := c.job
	j.Profile = profile
	if c.before != nil {
		if err := c.before(ctx, &j); err != nil {
			return o, err
		}
	}
	if c.args != nil {
		j.Args = c.args(j)
	}
	if o, err = b.spawn(ctx, c.child, j); err != nil {
		return o, err
	}
	if c.after != nil {
		err = c.after(ctx, j, o)
	}
	return o, err
}

// duel runs the contenders in turn, A B A B, so that what changes on the machine
// meanwhile (a compaction, a neighbour) meets all of them. The result is by
// contender, then by round. A round before the first warms the server up and
// does not count; all rounds of all contenders must come to the same tally.
func (b *bench) duel(ctx context.Context, figure string, contenders []contender) ([][]outcome, error) {
	results := make([][]outcome, len(contenders))
	var want *tally
	round := func(n int, profiled bool) error {
		for i, c := range contenders {
			profile := ""
			if profiled && c.job.Command != "" {
				continue // another program has no profile
			}
			if profiled {
				var err error
				if profile, err = b.profilePath(figure, c); err != nil {
					return err
				}
			}
			o, err := c.run(ctx, b, profile)
			if err != nil {
				return err
			}
			if want == nil {
				want = &o.tally
			}
			if o.tally != *want {
				return fmt.Errorf("%s came to %+v where another contender came to %+v", c.label, o.tally, *want)
			}
			progress("  %d %-36s %8.1f ns a row, %.2f s", n, c.label, o.PerRow*1e9, o.Wall.Seconds())
			if n > 0 {
				results[i] = append(results[i], o)
			}
		}
		return nil
	}
	for n := range b.pairs + 1 {
		if err := round(n, false); err != nil {
			return nil, err
		}
	}
	if b.profile == "" {
		return results, nil
	}
	progress("  once more for the profiles")
	return results, round(0, true)
}

// spread is the median of some values with the least and the greatest.
type spread struct{ median, least, most float64 }

func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{median: (sorted[(n-1)/2] + sorted[n/2]) / 2, least: sorted[0], most: sorted[n-1]}
}

func each(runs []outcome, value func(outcome) float64) spread {
	values := make([]float64, len(runs))
	for i, o := range runs {
		values[i] = value(o)
	}
	return spreadOf(values)
}

// ratio compares round by round: runs that were neighbours in time.
func ratio(runs, baseline []outcome, value func(outcome) float64) spread {
	values := make([]float64, len(runs))
	for i := range runs {
		values[i] = value(runs[i]) / value(baseline[i])
	}
	return spreadOf(values)
}

func perRow(o outcome) float64 { return o.PerRow }

func peak(o outcome) float64  { return float64(o.Peak) }
func group(o outcome) float64 { return float64(o.Group) }
