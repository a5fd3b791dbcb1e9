package rxcqltest

import (
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// ExpectComplete expects the run to end without an error, after all rows that were asked for and
// no others, and returns its report.
func (p *Probe[T]) ExpectComplete() rxcql.Report {
	p.t.Helper()
	p.letGoFirst()
	p.end()
	if p.err != nil {
		p.t.Fatalf("the run was to be complete, and failed: %v", p.err)
	}
	if !p.report.Complete {
		p.t.Fatalf("the run was to be complete, and was ended by %s", p.report.EndedBy)
	}
	return p.report
}

// ExpectEndedBy is ExpectComplete for a run that is ended on purpose: by an operator of that name,
// such as Take, or by Pipeline.Stop (rxcql.EndedByStop).
func (p *Probe[T]) ExpectEndedBy(name string) rxcql.Report {
	p.t.Helper()
	p.letGoFirst()
	p.end()
	if p.err != nil {
		p.t.Fatalf("the run was to be ended by %s, and failed: %v", name, p.err)
	}
	if p.report.EndedBy != name {
		p.t.Fatalf("the run was to be ended by %s, and was by %q", name, p.report.EndedBy)
	}
	return p.report
}

// ExpectError expects the run to fail with an error that wraps target, after all rows that were
// asked for and no others, and returns its report. Err has the error.
func (p *Probe[T]) ExpectError(target error) rxcql.Report {
	p.t.Helper()
	p.end()
	if !errors.Is(p.err, target) {
		p.t.Fatalf("the run was to fail with %q, and returned %v", target, p.err)
	}
	return p.report
}

// Err is the error with which the run ended; nil before that too.
func (p *Probe[T]) Err() error {
	p.t.Helper()
	p.started()
	select {
	case <-p.over:
		return p.err
	default:
		return nil
	}
}

// letGoFirst ends the test where it would wait for ever.
func (p *Probe[T]) letGoFirst() {
	p.t.Helper()
	if held := p.Held(); held > 0 {
		p.t.Fatalf("the run cannot come to its end while %d pages are held: call LetGo first", held)
	}
}

// end waits for the end of the run. Only pages without rows may come before it.
func (p *Probe[T]) end() {
	p.t.Helper()
	p.started()
	for {
		if p.page != nil && len(p.page.rows) > 0 {
			p.t.Fatalf("the run was to end, and there are rows: %+v", p.page.rows)
		}
		if p.page != nil {
			p.accept(nil)
		}
		select {
		case p.page = <-p.offers:
		case <-p.over:
			return
		}
	}
}

// Report is that of the run as it stands.
func (p *Probe[T]) Report() rxcql.Report {
	p.t.Helper()
	p.started()
	return p.pipeline.Progress()
}

// Stop ends the run in order (rxcql.Pipeline.Stop): what has been read is still to be asked for.
func (p *Probe[T]) Stop() {
	p.t.Helper()
	p.started()
	p.pipeline.Stop()
}

// Cancel cancels the run and waits for its end, which ExpectError(context.Canceled) expects.
func (p *Probe[T]) Cancel() {
	p.t.Helper()
	p.started()
	p.cancel()
	<-p.over
	p.page = nil
}

func (p *Probe[T]) started() {
	p.t.Helper()
	if p.pipeline == nil {
		p.t.Fatalf("the probe has not started the run: use Observe or Start, or ask the pipeline that it is the sink of")
	}
}

// Hold has pages that are accepted from now on stay unsettled, as those are whose rows a sink has
// taken and not written, until LetGo. Pages without rows are not held.
func (p *Probe[T]) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding = true
}

// Held is how many pages are held.
func (p *Probe[T]) Held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.held)
}

// LetGo settles the pages that are held, and has those that follow settled at once. A run that is
// at its end waits for it.
func (p *Probe[T]) LetGo() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding = false
	for _, r := range p.held {
		r.Settle()
	}
	p.empty()
}

// empty says that nothing is held any more; under mu.
func (p *Probe[T]) empty() {
	p.held = nil
	close(p.released)
	p.released = make(chan struct{})
}

// keepPage keeps a page if the probe holds pages.
func (p *Probe[T]) keepPage(account *flow.Account, page *flow.Reservation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.holding {
		return
	}
	r := account.Reservation()
	r.Take(page, page.Bytes())
	p.held = append(p.held, r)
}
