package saved_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/saved"
)

func sample() *saved.State {
	return &saved.State{
		Job: "flights", Runs: 3, Time: 1_700_000_000_000_000, TimestampBase: 1_600_000_000_000_000, Reserved: 1_700_000_002_000_000,
		Sources: []saved.Source{{
			Stage: "Table ks.t", Facts: []saved.Fact{{Name: "table id", Value: "7a"}}, Pages: "Cassandra 5.0.6",
			Done: saved.Ranges{{Start: -9, End: -3}, {Start: 5, End: 8}}, Rows: 12,
			Parts: []saved.Part{{
				Range: ring.Range{Start: -3, End: 5}, Pages: 2, Rows: 4, State: []byte{0, 255},
				Snapshots: map[string][]byte{"GroupAdjacent": {1}},
			}},
		}},
		Sinks: []saved.Sink{{Stage: "Table ks.u"}, {Stage: "NDJSON", State: []byte("12")}},
	}
}

func TestAStateIsReadAsItWasWritten(t *testing.T) {
	data, err := saved.Encode(sample())
	require.NoError(t, err)
	got, err := saved.Decode(data)
	require.NoError(t, err)
	require.Equal(t, sample(), got)
}

// signed puts a right head before a body.
func signed(body []byte) []byte {
	return append(fmt.Appendf(nil, "rxcql-checkpoint 1 sha256:%x\n", sha256.Sum256(body)), body...)
}

func TestOneByteThatIsOtherIsDamage(t *testing.T) {
	data, err := saved.Encode(sample())
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		other := bytes.Clone(data)
		i := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		other[i] ^= rapid.ByteRange(1, 255).Draw(t, "by")
		_, err := saved.Decode(other)
		require.Error(t, err)
		_, err = saved.Decode(data[:i])
		require.ErrorIs(t, err, saved.ErrDamaged)
		_, err = saved.Decode(append(bytes.Clone(data), data[i]))
		require.ErrorIs(t, err, saved.ErrDamaged)
	})
}

func TestAStateThatNoRunCanHaveSavedIsDamage(t *testing.T) {
	for name, change := range map[string]func(*saved.Source){
		"done twice":                  func(s *saved.Source) { s.Done = append(s.Done, ring.Range{Start: 6, End: 7}) },
		"done and begun":              func(s *saved.Source) { s.Done = append(s.Done, ring.Range{Start: 0, End: 1}) },
		"an empty range":              func(s *saved.Source) { s.Done = append(s.Done, ring.Range{Start: 20, End: 20}) },
		"a range that wraps":          func(s *saved.Source) { s.Done = append(s.Done, ring.Range{Start: 20, End: -20}) },
		"pages without a state":       func(s *saved.Source) { s.Parts[0].State = nil },
		"a state without pages":       func(s *saved.Source) { s.Parts[0].Pages = 0 },
		"less than nothing":           func(s *saved.Source) { s.Parts[0].Pages = -1 },
		"less than no rows":           func(s *saved.Source) { s.Parts[0].Rows = -1 },
		"less than no rows that done": func(s *saved.Source) { s.Rows = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			s := sample()
			change(&s.Sources[0])
			data, err := saved.Encode(s)
			require.NoError(t, err)
			_, err = saved.Decode(data)
			require.ErrorIs(t, err, saved.ErrDamaged)
		})
	}
}

func TestANewerFormatIsNotReadAndNotCalledDamaged(t *testing.T) {
	_, err := saved.Decode([]byte("rxcql-checkpoint 2 blake3:00\nwhatever"))
	require.ErrorIs(t, err, saved.ErrNewer)
	require.NotErrorIs(t, err, saved.ErrDamaged)
}

func FuzzDecode(f *testing.F) {
	data, err := saved.Encode(sample())
	require.NoError(f, err)
	_, body, _ := bytes.Cut(data, []byte("\n"))
	f.Add(body)
	f.Add([]byte("{}"))
	f.Add([]byte(`{"sources":[{"done":[{"Start":1,"End":2}],"parts":[{"range":{"Start":1,"End":2}}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := saved.Decode(body) // without a head
		require.Error(t, err)
		s, err := saved.Decode(signed(body))
		if err != nil {
			require.ErrorIs(t, err, saved.ErrDamaged)
			return
		}
		again, err := saved.Encode(s)
		require.NoError(t, err)
		same, err := saved.Decode(again)
		require.NoError(t, err)
		twice, err := saved.Encode(same)
		require.NoError(t, err)
		require.Equal(t, string(again), string(twice))
	})
}
