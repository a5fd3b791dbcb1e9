package verbs

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/pace"
	"github.com/rxcql/rxcql/transfer"
)

// spreadFlags say how load batches rows of many partitions that take turns.
type spreadFlags struct {
	on         bool
	partitions int
	bytes      string
	set        *pflag.FlagSet
}

func (s *spreadFlags) add(set *pflag.FlagSet) {
	s.set = set
	set.BoolVar(&s.on, "spread", false, "rows of many partitions take turns in the files: batch them by the nodes that have them")
	set.IntVar(&s.partitions, "spread-partitions", 10, "as --spread, with at most `n` partitions a batch; more load faster, and above 10 servers warn")
	set.StringVar(&s.bytes, "spread-bytes", "5KiB", "as --spread, with at most so many `bytes` a batch; above 5KiB servers warn, and above 50KiB they refuse it")
}

// options returns none without any of the flags.
func (s *spreadFlags) options() ([]transfer.LoadOption, error) {
	if !s.on && !s.set.Changed("spread-partitions") && !s.set.Changed("spread-bytes") {
		return nil, nil
	}
	if s.set.Changed("spread") && !s.on {
		return nil, errors.New("--spread=false, and --spread-partitions or --spread-bytes, which spread too: leave one of them out")
	}
	bytes, err := pace.ParseBytes(s.bytes)
	if err != nil {
		return nil, fmt.Errorf("--spread-bytes: %w", err)
	}
	if s.partitions < 2 || s.partitions > 1000 {
		return nil, fmt.Errorf("--spread-partitions: %d must be from 2 to 1000", s.partitions)
	}
	if bytes < 1<<10 || bytes > 16<<20 {
		return nil, fmt.Errorf("--spread-bytes: %s must be from 1KiB to 16MiB", s.bytes)
	}
	return []transfer.LoadOption{transfer.Spread(s.partitions, int(bytes))}, nil
}
