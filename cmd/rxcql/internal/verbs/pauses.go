package verbs

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/rxcql/rxcql/transfer"
)

// pauses are the flags of the second phase of a diff.
type pauses struct {
	pause         time.Duration
	rereads       int
	maxCandidates int64
}

func (p *pauses) add(set *pflag.FlagSet) {
	set.DurationVar(&p.pause, "pause", transfer.DefaultPause, "how `long` to wait before rows that differ are read again; 0 if nobody writes")
	set.IntVar(&p.rereads, "rereads", transfer.DefaultRereads, "how `often` a row that moves is read again before it counts as unstable")
	set.Int64Var(&p.maxCandidates, "max-candidates", transfer.DefaultMaxCandidates, "give up a table in which more `rows` than that seem to differ")
}

func (p *pauses) options() []transfer.DiffOption {
	return []transfer.DiffOption{transfer.Pause(p.pause), transfer.Rereads(p.rereads), transfer.MaxCandidates(p.maxCandidates)}
}
