package kept

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
)

// Place is where the job of one table has its record.
type Place struct {
	Job  string // says all that the job does
	File string // the record
	// Positions is what the job itself goes on from: a checkpoint, or a folder. Empty if it cannot go
	// on.
	Positions string
	// Results: Positions is a folder with results that people read. They stay when the run has come to
	// its end, and are moved to the folder Earlier next to it when the job begins anew.
	Results bool
	// Ended reports whether the results are those of a job that was complete. Nil without Results.
	Ended func() bool
	// Look looks at what the job works on.
	Look func(ctx context.Context) (Scene, error)
	// Restart: what earlier runs have left, of whatever job, does not count.
	Restart bool

	held   rxcql.Checkpoint // the record, locked
	record record
}

// Earlier is the name of the folder of results that were moved away.
const Earlier = "earlier"

// Found is what there is of an earlier run.
type Found struct {
	Outcome []byte    // nil if the job has to run
	Ended   time.Time // when the earlier run was complete
	Anew    string    // why what the earlier run has left does not count; empty if it does, or there is nothing
}

// remedy is what to do about what cannot be gone on from.
const remedy = "give another folder, or --restart to begin anew"

// Begin locks the place, and looks for what an earlier run has left. If there is no outcome the job
// is to be run: the record says by then what it works on. An error says what to do instead. Call
// Release in any case.
func (p *Place) Begin(ctx context.Context) (found Found, err error) {
	if err := os.MkdirAll(filepath.Dir(p.File), 0o700); err != nil {
		return found, err
	}
	if p.held, err = checkpoint.File(p.File).Lock(ctx, p.Job); err != nil {
		return found, err
	}
	begun := time.Now() // before the look, so that nothing happens between the two unnoticed
	now, err := p.Look(ctx)
	if err != nil {
		return found, err
	}
	text, err := p.held.Load(ctx)
	if err != nil {
		return found, err
	}
	was, err := p.parse(text)
	if err != nil {
		return found, err
	}
	found, anew, err := p.decide(was, &now)
	switch {
	case err != nil:
		return found, err
	case anew:
		return found, p.anew(ctx, was, record{Job: p.Job, Begun: begun, Scene: now})
	case found.Outcome != nil:
		return found, nil
	}
	was.Scene.learn(&now)
	return found, p.write(ctx, *was)
}

// Peek says what Begin would do, and changes nothing.
func (p *Place) Peek(ctx context.Context) (note string, err error) {
	now, err := p.Look(ctx)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(p.File)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	was, err := p.parse(text)
	if err != nil {
		return "", err
	}
	found, anew, err := p.decide(was, &now)
	switch {
	case err != nil || anew && found.Anew == "":
		return "", err
	case anew:
		return "what an earlier run has left does not count, so this table would be begun anew: " + found.Anew, nil
	case found.Outcome != nil:
		return "an earlier run has done this table, so nothing would be done: " + p.File, nil
	}
	return "it would go on where an earlier run has ended: " + p.Positions, nil
}

// decide says what a run is to do with what an earlier one has left: found has an outcome, or the
// job goes on, or it begins anew.
func (p *Place) decide(was *record, now *Scene) (found Found, anew bool, err error) {
	positions := exists(p.Positions)
	switch {
	case p.Restart || was != nil && was.Void:
		return found, true, nil
	case was == nil && positions && (p.Ended == nil || !p.Ended()):
		return found, false, refuse("%s is there, and %s, which says what it was made with, is not: %s", p.Positions, p.File, remedy)
	case was == nil, was.Outcome == nil && !positions: // nothing was done yet, or a run has come to its end
		return found, true, nil
	case was.Job != p.Job:
		return found, false, refuse("%s is of another job (%s): %s", p.File, was.Job, remedy)
	}
	why, refused := was.Scene.compare(now, was.Begun, was.Outcome != nil, was.Rows)
	if refused != nil {
		return found, false, refuse("%s does not count: %w: %s", p.File, refused, remedy)
	}
	if why == "" {
		found = Found{Outcome: was.Outcome, Ended: was.Ended}
	}
	found.Anew = why
	return found, why != "", nil
}

// Keep keeps the outcome of a job that is complete. rows says whether it had any.
func (p *Place) Keep(ctx context.Context, outcome any, rows bool) error {
	now, err := p.Look(ctx)
	if err != nil {
		return err
	}
	r := p.record
	r.Scene.learn(&now)
	r.Scene.Outputs, r.Rows, r.Ended = now.Outputs, rows, time.Now()
	if r.Outcome, err = json.Marshal(outcome); err != nil {
		return err
	}
	return p.write(ctx, r)
}

// Release lets other processes have the place.
func (p *Place) Release() error {
	if p.held == nil {
		return nil
	}
	held := p.held
	p.held = nil
	return held.Unlock()
}

// Forget removes what was kept: the whole run has come to its end, and the next one begins anew.
// If another run has begun meanwhile, it is that one's.
func (p *Place) Forget(ctx context.Context) (err error) {
	held, err := checkpoint.File(p.File).Lock(ctx, p.Job)
	if errors.Is(err, rxcql.ErrCheckpointLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	p.held = held
	defer func() { err = errors.Join(err, p.Release()) }()
	if !p.Results {
		text, err := p.held.Load(ctx)
		if err != nil || text == nil {
			return err
		}
		was, err := p.parse(text)
		if err != nil {
			return err
		}
		was.Void = true
		if err := p.write(ctx, *was); err != nil {
			return err
		}
		if err := remove(p.Positions); err != nil {
			return err
		}
	}
	return remove(p.File)
}

// There reports whether there is something to go on from.
func (p *Place) There() bool { return !p.Restart && exists(p.Positions) }
