package rxcql_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/saved"
)

// Saves are made while pages are read, windows close and writes end, in another goroutine. Of many
// parts it takes a save long to look at all of them, so that much is settled meanwhile. Of a few,
// whose rows are alone in their windows, rows are read and their windows durable meanwhile.
func TestWhatASaveHasFitsTogetherThoughAllGoesOnMeanwhile(t *testing.T) {
	for name, saves := range map[string]func(t *testing.T) int{
		"many parts":         func(t *testing.T) int { return savesFitTogether(t, 200, 40, 2, 0) },
		"windows of one row": func(t *testing.T) int { return savesFitTogether(t, 1, 30_000, 1, -1) },
	} {
		t.Run(name, func(t *testing.T) {
			for n := 0; n <= 3; { // with fewer it tries nothing
				n += saves(t)
			}
		})
	}
}

// savesFitTogether returns how many saves it has looked at.
func savesFitTogether(t *testing.T, parts, rows, size, slack int) (saves int) {
	t.Helper()
	all := make([][]reading, parts)
	for i := range all {
		for n := range rows {
			all[i] = append(all[i], reading{ID: i*rows + n, Key: i % 7, At: n})
		}
	}
	j := newWindowJob(size, 1, all...)
	j.slack = slack
	j.parts.PageRows = 1
	type pair struct{ id, start int }
	var mu sync.Mutex
	counted, late := map[pair]bool{}, map[pair]bool{}
	note := func(in map[pair]bool) func(reading, int) {
		return func(row reading, start int) {
			mu.Lock()
			defer mu.Unlock()
			in[pair{row.ID, start}] = true
		}
	}
	j.counted, j.late = note(counted), note(late)
	j.store.FailSave = nil
	j.store.Saved = func(s *saved.State) error {
		if len(s.Frontiers) == 0 || s.Frontiers[0].UpTo == nil {
			return nil
		}
		saves++
		upTo := *s.Frontiers[0].UpTo
		behind := func(start int) bool { return second(start+j.size).Time().UnixMicro() <= upTo }
		settled, read := make([]int64, parts), make([]int64, parts)
		for _, src := range s.Sources {
			for _, done := range src.Done {
				for part := done.Start; part < done.End; part++ {
					settled[part], read[part] = int64(rows), int64(rows)
				}
			}
			for _, part := range src.Parts {
				settled[part.Range.Start], read[part.Range.Start] = part.Rows, part.Read
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range all {
			for n, row := range all[i] {
				for _, start := range j.starts(row.At) {
					wrong := ""
					switch at := (pair{row.ID, start}); {
					case int64(n) < settled[i] && !behind(start) && !late[at]:
						wrong = "is settled, and the window is not durable"
					case int64(n) >= read[i] && behind(start) && counted[at]:
						wrong = "counts as not read, and is in the window, which is durable"
					case int64(n) < read[i] && behind(start) && !counted[at] && !late[at]:
						wrong = "counts as read, and is neither in the window, which is durable, nor late"
					}
					if wrong != "" {
						return fmt.Errorf("save %d: row %d of part %d, window from %d: it %s", saves, n, i, start, wrong)
					}
				}
			}
		}
		return nil
	}
	rep, err := j.run(context.Background())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, j.whole(), j.table())
	return saves
}
