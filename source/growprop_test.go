package source_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type Row struct {
	N int    `cql:"n" json:"n"`
	S string `cql:"s" json:"s"`
}

// Files of CSV and NDJSON with lines of every kind, that grow between runs that
// are interrupted in every way, into a file: each row once and in order, each bad
// line at least once, counts add up.
func TestFilesThatGrowAndJobsThatBreakLoseAndDoubleNothing(t *testing.T) {
	broken := errors.New("broken off")
	for seed := range someSeeds() {
		random := rand.New(rand.NewPCG(seed, 77))
		csv := random.IntN(2) == 0
		dir := t.TempDir()
		path, out, letters := filepath.Join(dir, "in"), filepath.Join(dir, "out"), filepath.Join(dir, "letters")
		var want []Row
		bad := map[string]bool{}
		n := 0
		ended := true // the last line has its end
		more := func(lines int) string {
			var b bytes.Buffer
			eol := []string{"\n", "\r\n"}[random.IntN(2)]
			if !ended {
				b.WriteString(eol)
			}
			for i := range lines {
				n++
				last := i == lines-1 && random.IntN(3) == 0
				ended = !last
				end := eol
				if last {
					end = ""
				}
				switch k := random.IntN(12); {
				case k < 2:
					if last {
						end, ended = eol, true
					}
					b.WriteString(end)
				case k < 5 && csv:
					text := []string{fmt.Sprintf("bad%d,x", n), fmt.Sprintf("%d,x,y", n), fmt.Sprintf("%d", n), fmt.Sprintf("bad%d,\"a%s\"\"b\"", n, "\n"),
						fmt.Sprintf("%d\" \",x", n), fmt.Sprintf("x\xff%d,y", n)}[random.IntN(6)]
					bad[text] = true
					b.WriteString(text + end)
				case k < 5:
					text := []string{fmt.Sprintf("bad%d", n), fmt.Sprintf(`{"n":"%d"}`, n), fmt.Sprintf(`{"x":%d}`, n), fmt.Sprintf("\xff%d", n), fmt.Sprintf(`{"n":%d} {}`, n)}[random.IntN(5)]
					bad[text] = true
					b.WriteString(text + end)
				default:
					row := Row{n, []string{"a", "", "a,b", "x\ny", "x\r\n\"y\"", "é"}[random.IntN(6)]}
					want = append(want, row)
					if csv {
						fmt.Fprintf(&b, "%d,\"%s\"%s", row.N, strings.ReplaceAll(row.S, `"`, `""`), end)
					} else {
						text, _ := json.Marshal(row)
						b.Write(text)
						b.WriteString(end)
					}
				}
			}
			return b.String()
		}
		text := ""
		if random.IntN(2) == 0 {
			text = "\ufeff"
		}
		if csv {
			text += "n,s"
			ended = false
			if random.IntN(2) == 0 {
				text, ended = text+"\n", true
			}
		}
		text += more(random.IntN(300))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		store, pageRows := &jobtest.Store{}, 1+random.IntN(40)
		grows := random.IntN(4)
		for runs := 0; ; runs++ {
			require.Less(t, runs, 60)
			final := runs > 20 && grows == 0
			how, left := random.IntN(4), 1+random.IntN(200)
			if final {
				how = 3
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			var p *rxcql.Pipeline
			var in rxcql.Stream[Row]
			if csv {
				in = source.CSV[Row](path, source.PageRows(pageRows))
			} else {
				in = source.NDJSON[Row](path, source.PageRows(pageRows))
			}
			rows := operators.Tap(in, func(Row) error {
				if left--; left%20 == 0 {
					time.Sleep(time.Millisecond)
				}
				if left == 0 {
					switch how {
					case 0:
						p.Stop()
					case 1:
						cancel(broken)
					case 2:
						panic("broken off")
					}
				}
				return nil
			})
			if !final {
				rows = failing(rows) // never complete
			}
			p, err := rxcql.New(rows, sink.NDJSON[Row](out), rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)),
				rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(letters))), rxcql.WithBudget(rxcql.MinBudgetPerInput))
			require.NoError(t, err)
			rep, err := p.Run(ctx)
			cancel(nil)
			require.NotErrorIs(t, err, rxcql.ErrCheckpointForeign, "seed %d run %d", seed, runs)
			require.Zero(t, rep.BytesInFlight)
			if err == nil {
				require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered+rep.Skipped+rep.DeadLettered, "seed %d: %v", seed, rep)
			}
			if err == nil && rep.Complete {
				require.EqualValues(t, len(want)+len(bad), rep.ReadRows+rep.ResumedRows, "seed %d", seed)
				break
			}
			if grows > 0 && random.IntN(3) == 0 {
				grows--
				grow(t, path, more(random.IntN(200)))
			}
		}
		got, err := source.NDJSON[Row](out).Collect(t.Context())
		require.NoError(t, err)
		require.Equal(t, len(want), len(got), "seed %d", seed)
		require.Equal(t, want, append([]Row(nil), got...), "seed %d", seed)
		kept := map[string]bool{}
		for l, err := range deadletter.Read[json.RawMessage](letters, deadletter.AnyType()) {
			require.NoError(t, err)
			if l.Type == "[]uint8" {
				var b []byte
				require.NoError(t, json.Unmarshal(l.Row, &b))
				kept[string(b)] = true
				continue
			}
			var s string
			require.NoError(t, json.Unmarshal(l.Row, &s))
			kept[s] = true
		}
		require.Equal(t, bad, kept, "seed %d", seed)
	}
}
