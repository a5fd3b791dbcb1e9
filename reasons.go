package rxcql

import (
	"cmp"
	"math"
	"slices"
	"sync"
)

// maxReasons is how many reasons a report tells apart.
const maxReasons = 10

// RowErrorReport is one reason for which rows failed in a stage and were skipped or
// dead-lettered; see Report.RowErrors.
type RowErrorReport struct {
	Stage string `json:"stage"`
	Rows  int64  `json:"rows"` // that failed for this reason
	// Reason is the error's text in one line of at most 300 bytes, without values. Errors of the
	// toolkit and of the server hold none. An error that a function of yours returned is shown
	// without text in quotes, words with a digit, and words that are in the row (… stands for
	// them); so rows that fail alike have one reason. A dead letter has the whole text.
	Reason string `json:"reason"`
	// The first row that failed for this reason, in the order of the report's sources and of the
	// rows in each: its range, page, and index in the page, as in RowError.
	Range string `json:"range"`
	Page  int64  `json:"page"`
	Row   int    `json:"row"`
	// Place says more if the source knows more: a file and its line.
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

// place is where a row is in the sources; rows are ordered by it.
type place struct {
	source      int
	start, page int64
	row         int
}

func (p place) before(q place) bool {
	return cmp.Or(cmp.Compare(p.source, q.source), cmp.Compare(p.start, q.start), cmp.Compare(p.page, q.page), cmp.Compare(p.row, q.row)) < 0
}

func (f *FailedRow) place() place {
	p := place{start: int64(f.Range), page: f.Page, row: f.Index}
	tokens, known := f.Tokens()
	if f.Source != nil {
		p.source = f.Source.Number
	}
	switch {
	case f.Range < 0:
		p.source, p.start = math.MaxInt, math.MaxInt64
	case known:
		p.start = tokens.Start
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

// report returns the reasons, the most frequent first, and the number of rows that failed for
// others.
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
