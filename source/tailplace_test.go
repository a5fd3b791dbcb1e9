package source_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

// However records are spread over pages, and however often the state is written as a whole, it is
// the same place.
func TestAPlaceOfATailIsTheSameHoweverItWasSaved(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		page := source.NewTailPlace(2, -5, 0)
		all, short := source.NewTailPlace(2, -5, 0), source.NewTailPlace(2, -5, 0)
		both := func(change func(p *source.TailPlace)) { change(page); change(all); change(short) }
		first, edges := int64(0), map[[2]int64]int64{}
		for range rapid.IntRange(0, 300).Draw(r, "records") {
			bucket, shard := first+rapid.Int64Range(0, 3).Draw(r, "bucket"), rapid.IntRange(0, 2).Draw(r, "shard")
			at := edges[[2]int64{bucket, int64(shard)}]
			switch rapid.IntRange(0, 20).Draw(r, "kind") {
			case 0:
				first++
				both(func(p *source.TailPlace) { p.Over(first) })
			case 1, 2, 3:
				at += rapid.Int64Range(0, 100).Draw(r, "by")
				edges[[2]int64{bucket, int64(shard)}] = at
				var after [][]byte
				if rapid.Bool().Draw(r, "after a row") {
					after = [][]byte{{byte(at)}, rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(r, "key")}
				}
				both(func(p *source.TailPlace) { p.Edge(bucket, shard, at, after...) })
			default:
				hash, arrived := rapid.Byte().Draw(r, "hash"), at+rapid.Int64Range(0, 50).Draw(r, "arrived")
				content := rapid.Uint64().Draw(r, "content")
				both(func(p *source.TailPlace) { p.Seen(bucket, shard, hash, arrived, content) })
			}
			if rapid.IntRange(0, 3).Draw(r, "the page ends") == 0 {
				page.Settle()
			}
			switch rapid.IntRange(0, 9).Draw(r, "the page waits") {
			case 0:
				short.Shorten()
			case 1:
				short.Settle()
			}
		}
		got, err := source.ParseTailPlace(page.Settle(), 2)
		require.NoError(r, err)
		want, err := source.ParseTailPlace(all.Settle(), 2)
		require.NoError(r, err)
		require.Equal(r, want, got)
		short.Shorten()
		got, err = source.ParseTailPlace(short.Settle(), 2)
		require.NoError(r, err)
		require.Equal(r, want, got)
	})
}

// The rows of most pages are dropped, and wait behind one that is in a window of a day.
func TestWhatPagesSayThatWaitStaysAsSmallAsWhatIsRemembered(t *testing.T) {
	p := source.NewTailPlace(1, 0, 0)
	for at := range int64(100_000) {
		p.Seen(at/1000, 0, byte(at), at, 0)
		p.Edge(at/1000, 0, at-10)
		if at%1000 == 999 {
			p.Over(at/1000 - 1)
			require.Less(t, p.Shorten(), 1<<10)
		}
	}
}

func TestTheStateOfATailStaysAsSmallAsWhatIsRemembered(t *testing.T) {
	p := source.NewTailPlace(1, 0, 0)
	longest := 0
	for at := range int64(100_000) {
		p.Seen(0, 0, byte(at), at, 0)
		p.Edge(0, 0, at-10)
		longest = max(longest, len(p.Settle()))
	}
	require.Less(t, longest, 4<<10)
}

func TestASavedStateIsNotChangedByWhatIsSettledLater(t *testing.T) {
	p := source.NewTailPlace(1, 0, 0)
	first := p.Settle()
	was := bytes.Clone(first)
	for at := range int64(1000) {
		p.Seen(0, 0, byte(at), at, 0)
		p.Settle()
	}
	require.Equal(t, was, first)
}

func TestAPlaceOfATailThatIsDamagedIsRefused(t *testing.T) {
	p := source.NewTailPlace(2, 0, 0)
	p.Edge(0, 1, 5, []byte("a"), []byte("b"))
	p.Seen(0, 1, 7, 9, 300)
	p.Over(-1)
	state := p.Settle()
	_, err := source.ParseTailPlace(state, 2)
	require.NoError(t, err)
	for n := range len(state) {
		if place, err := source.ParseTailPlace(state[:n], 2); err == nil { // it ends with a record
			require.NotEmpty(t, place)
		} else {
			require.ErrorIs(t, err, rxcql.ErrCheckpointDamaged, "the first %d bytes", n)
		}
	}
	_, err = source.ParseTailPlace(state, 3)
	require.ErrorIs(t, err, rxcql.ErrCheckpointDamaged, "of a key of other columns")
	_, err = source.ParseTailPlace([]byte{}, 2)
	require.ErrorIs(t, err, rxcql.ErrCheckpointDamaged)
	newer := bytes.Clone(state)
	newer[0]++
	_, err = source.ParseTailPlace(newer, 2)
	require.ErrorIs(t, err, rxcql.ErrCheckpointNewer)
}

func FuzzPlaceOfATail(f *testing.F) {
	p := source.NewTailPlace(2, 0, 0)
	p.Edge(0, 1, 5, []byte("a"), []byte("b"))
	p.Seen(0, 1, 7, 9, 300)
	f.Add(p.Settle())
	f.Fuzz(func(t *testing.T, state []byte) {
		if _, err := source.ParseTailPlace(state, 2); err != nil {
			require.True(t, errorsIsAny(err, rxcql.ErrCheckpointDamaged, rxcql.ErrCheckpointNewer), "%v", err)
		}
	})
}
