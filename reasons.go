package rxcql

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
)

// maxReasons is how many reasons a report tells apart.
const maxReasons = 10

// RowErrorReport is one reason for which rows failed in a stage and were skipped or
// dead-lettered; see Report.RowErrors.
type RowErrorReport struct {
	Stage string `json:"stage"`
	Rows  int64  `json:"rows"` // that failed for this reason
	// Reason is the error's text in one line of at most 300 bytes, without values.
	// Errors of the toolkit and of the server hold none. Of an error that a function
	// of yours returned, text in quotes, words with a digit and words that are in the
	// row are left out (…), so that rows that fail alike have one reason; a hook
	// (RowFailedHook) and a dead letter get its text whole.
	Reason string `json:"reason"`
	// The first such row in the order of the source: its range, page, and index in
	// the page, as in RowError.
	Range string `json:"range"`
	Page  int64  `json:"page"`
	Row   int    `json:"row"`
	// Place says more where the source knows more: a file and its line.
	Place string `json:"place,omitempty"`
}

// reasons are why rows failed in a run.
type reasons struct {
	mu     sync.Mutex
	found  []*reasonFound
	others int64
}

type reasonFound struct {
	RowErrorReport
	first place
}

// place orders rows as they are in their source.
type place struct {
	start, page int64
	row         int
}

func (p place) before(q place) bool {
	return cmp.Or(cmp.Compare(p.start, q.start), cmp.Compare(p.page, q.page), cmp.Compare(p.row, q.row)) < 0
}

func (f *FailedRow) place() place {
	p := place{start: int64(f.Range), page: f.Page, row: f.Index}
	switch {
	case f.Range < 0:
		p.start = math.MaxInt64
	case f.tokens != nil:
		p.start = f.tokens.Start
	}
	return p
}

func (r *reasons) add(stage, reason, where string, f *FailedRow) {
	at := f.place()
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.found, func(known *reasonFound) bool { return known.Stage == stage && known.Reason == reason })
	switch {
	case i >= 0:
		known := r.found[i]
		known.Rows++
		if at.before(known.first) {
			known.first, known.Range, known.Page, known.Row, known.Place = at, f.Part(), f.Page, f.Index, where
		}
	case len(r.found) < maxReasons:
		r.found = append(r.found, &reasonFound{first: at, RowErrorReport: RowErrorReport{
			Stage: stage, Rows: 1, Reason: reason, Range: f.Part(), Page: f.Page, Row: f.Index, Place: where,
		}})
	default:
		r.others++
	}
}

// report gives the reasons, the most frequent first.
func (r *reasons) report() (list []RowErrorReport, others int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, known := range r.found {
		list = append(list, known.RowErrorReport)
	}
	slices.SortFunc(list, func(a, b RowErrorReport) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Reason, b.Reason))
	})
	return list, r.others
}

// unsaid are texts of errors that users' functions returned, and what the log shows
// of them: the error that ends a run may hold any of them.
type unsaid struct {
	mu    sync.Mutex
	texts []unsaidText
}

type unsaidText struct{ whole, shown string }

// maxUnsaid is more than the errors that end a run: the workers of a sink may each
// have one.
const maxUnsaid = 256

func (u *unsaid) add(err error, row any, users bool) {
	if err == nil || !users {
		return
	}
	whole := textOf(err)
	text := unsaidText{whole: whole, shown: masked(whole, row)}
	u.mu.Lock()
	defer u.mu.Unlock()
	if whole != text.shown && len(u.texts) < maxUnsaid && !slices.Contains(u.texts, text) {
		u.texts = append(u.texts, text)
	}
}

// longestError is how many bytes the log shows of the error that ended a run.
const longestError = 2000

// shown is the text of the error that ended a run, as the log may have it.
func (u *unsaid) shown(err error) string {
	text := textOf(err)
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.texts) == maxUnsaid {
		text = masked(text, nil)
	}
	for _, each := range u.texts {
		text = strings.ReplaceAll(text, each.whole, each.shown)
	}
	for _, p := range panics(err) {
		whole := textOf(p)
		text = strings.ReplaceAll(text, whole, masked(whole, nil))
	}
	return short(text, longestError)
}

// panics are those in the tree of an error.
func panics(err error) (list []*panicError) {
	if p := (*panicError)(nil); !errors.As(err, &p) {
		return nil
	}
	switch e := err.(type) { //nolint:errorlint // each error of the tree by itself
	case *panicError:
		return []*panicError{e}
	case interface{ Unwrap() error }:
		return panics(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			list = append(list, panics(inner)...)
		}
	}
	return list
}
