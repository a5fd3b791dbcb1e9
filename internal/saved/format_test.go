package saved_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
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

// withWindows is a state of a job with windows.
func withWindows() *saved.State {
	s, upTo := sample(), int64(1_700_000_000_000_000)
	s.Sources[0].Parts[0].Read, s.Sources[0].Parts[0].ReadState = 9, []byte{7}
	s.Frontiers = []saved.Frontier{{
		Stage: "Window", Facts: []saved.Fact{{Name: "size", Value: "10s"}}, UpTo: &upTo,
		Sessions: []saved.Session{{Key: []byte{0, 255}, End: upTo + 1}, {Key: []byte{1}, End: upTo + 2}},
	}, {Stage: "Window 2"}}
	return s
}

// What was saved before there were windows is read, and reads as a job without any.
func TestAStateOfBeforeThereWereWindowsIsRead(t *testing.T) {
	body := []byte(`{"job":"j","runs":1,"sources":[{"stage":"Seq","done":[],"parts":[{"range":{"Start":1,"End":5},"settled":1,"rows":4,"state":"AA=="}]}],"sinks":[]}`)
	s, err := saved.Decode(signed(body))
	require.NoError(t, err)
	require.Empty(t, s.Frontiers)
	require.Zero(t, s.Sources[0].Parts[0].Read)
	data, err := saved.Encode(sample())
	require.NoError(t, err)
	require.NotContains(t, string(data), "read")
	require.NotContains(t, string(data), "frontiers")
}

func TestAFrontierDoesNotGoBack(t *testing.T) {
	before, after := withWindows(), withWindows()
	require.NoError(t, after.Follows(before))
	*after.Frontiers[0].UpTo--
	require.ErrorContains(t, after.Follows(before), "Window")
	after.Frontiers[0].UpTo = nil
	require.ErrorContains(t, after.Follows(before), "Window")
	before.Complete = true
	require.NoError(t, after.Follows(before), "the job has begun anew")
}

func TestAStateIsReadAsItWasWritten(t *testing.T) {
	for _, s := range []*saved.State{sample(), withWindows()} {
		data, err := saved.Encode(s)
		require.NoError(t, err)
		got, err := saved.Decode(data)
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
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

func TestWindowsThatNoRunCanHaveSavedAreDamage(t *testing.T) {
	forever, before := int64(saved.Forever), int64(0)
	for name, change := range map[string]func(*saved.State){
		"all windows are durable for ever": func(s *saved.State) { s.Frontiers[0].UpTo, s.Frontiers[0].Sessions = &forever, nil },
		"two of one stage":                 func(s *saved.State) { s.Frontiers[1].Stage = "Window" },
		"a session behind the frontier":    func(s *saved.State) { s.Frontiers[0].Sessions[1].End = before },
		"sessions out of order":            func(s *saved.State) { slices.Reverse(s.Frontiers[0].Sessions) },
		"a key twice":                      func(s *saved.State) { s.Frontiers[0].Sessions[1].Key = []byte{0, 255} },
		"a session without a key":          func(s *saved.State) { s.Frontiers[0].Sessions[0].Key = nil },
		"read less than what is settled":   func(s *saved.State) { s.Sources[0].Parts[0].Read = 3 },
		"read less than nothing":           func(s *saved.State) { s.Sources[0].Parts[0].Read = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			s := withWindows()
			change(s)
			data, err := saved.Encode(s)
			require.NoError(t, err)
			_, err = saved.Decode(data)
			require.ErrorIs(t, err, saved.ErrDamaged)
		})
	}
	s := withWindows()
	s.Complete, s.Frontiers[0].UpTo, s.Frontiers[0].Sessions = true, &forever, nil
	data, err := saved.Encode(s)
	require.NoError(t, err)
	_, err = saved.Decode(data)
	require.NoError(t, err, "of a job that is complete")
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
