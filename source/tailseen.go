package source

import (
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// seenCost is what a row that is remembered takes: its entry here, and its place in the state that
// is saved, each at worst.
const seenCost = 128

// mostSeenInJob is the default of SeenBytes in a job at most: 32,768 rows. A store of checkpoints
// need not take more than 4 MiB. A record of a row has 26 bytes at worst: its hash, 2 for when it
// arrived after the one before (at most 8 s, on an average), and 8 with Upserts. The state is up to
// a quarter longer (tailFold), is there twice if there are windows (settled and read), and takes
// 4/3 of that in the checkpoint: 2.7 MiB. That leaves room for the ends of 20,000 sessions
// (rxcql.DefaultSessions).
const mostSeenInJob = 32_768 * seenCost

// defaultSeen is how many bytes the keys may take unless SeenBytes says so.
func defaultSeen(run *rxcql.Execution) int64 {
	if run.HasCheckpoint() {
		return min(run.Budget()/4, mostSeenInJob)
	}
	return run.Budget() / 4
}

// charge charges the budget with what is remembered. It fails if that is more than it may be; what
// is remembered of the run before (tailReread) was not more for that.
func (r *tailReader[T]) charge() error {
	bytes := int64(r.place.keys) * seenCost
	all := bytes + int64(r.reread.keys())*seenCost
	switch more := all - r.charged; {
	case more > 0:
		r.held.Take(&flow.Reservation{}, more)
	case more < 0:
		gone := r.account.Reservation()
		gone.Take(r.held, -more)
		gone.Settle()
	}
	r.charged = all
	if bytes <= r.most {
		return nil
	}
	clocks := ""
	if apart := time.Duration(r.clock.now.latest-r.clock.now.early) * time.Millisecond; apart > r.cfg.overlap {
		clocks = fmt.Sprintf("; this machine's clock and the server's are %v apart, and the earlier one counts: set them right", apart)
	}
	return r.stage.Fail(fmt.Errorf("%w: %d rows have arrived since %s and would be read again, and their keys take %d bytes of %d%s; "+
		"make Overlap shorter, if writes are never that late, or give Delay as long as Overlap, which remembers none, or raise SeenBytes (and rxcql.WithBudget)",
		ErrTailFull, r.place.keys, stamp(r.complete()), bytes, r.most, clocks))
}
