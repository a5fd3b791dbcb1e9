package rxcql

import "context"

// LateEvent is what hooks are told of rows that came too late for one or more of their windows.
type LateEvent struct {
	Stage string
	Rows  int
}

// CountLate counts rows that came too late for one or more of their windows, and tells hooks. Those
// that go on nowhere count as dropped too, see CountDropped.
func (s *Stage) CountLate(rows int) {
	if rows == 0 {
		return
	}
	s.run.late.Add(int64(rows))
	tell(s.run.ctx, s.run, s.name, LateEvent{Stage: s.name, Rows: rows}, func(h *Hooks) func(context.Context, LateEvent) { return h.RowsLate })
}
