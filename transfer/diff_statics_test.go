package transfer_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/source"
	"github.com/rxcql/rxcql/transfer"
)

// Rows of the target in what the source cannot read do not come, and so neither does what their
// partitions have in static columns. So these are read again where the source has none.

// unread is told where a part of partition p cannot be read at the source.
func unread(p int32) pair {
	token := ring.Token(num(p))
	return pair{Unread: &rxcql.Unread{Table: "left", Tokens: flow.TokenRange{Start: token - 1, End: token}}}
}

func TestStaticColumnsAreUnsureWhereAPartOfThePartitionCouldNotBeRead(t *testing.T) {
	lines, l, r := scanned(t,
		unread(1),
		left(row(1, "b", "", "1")), left(row(1, "c", "", "1")),
		left(row(2, "a", "", "1")),
		right(row(3, "a", "", "1")),
	)
	require.NotNil(t, lines[0].Unread)
	require.Equal(t, []transfer.Scanned{
		{Key: key(num(1)), Static: true, Unsure: true}, {Key: key(num(1), []byte("b"))}, {Key: key(num(1), []byte("c"))},
		{Key: key(num(2), []byte("a"))}, {Key: key(num(3), []byte("a"))},
	}, lines[1:])
	require.EqualValues(t, 3, l)
	require.EqualValues(t, 1, r)
}

// The end of a page may be where a run ends. The next one does not know which partition it was.
func TestStaticColumnsAreUnsureWhereThePageBehindMaySayThatTheRestCannotBeRead(t *testing.T) {
	pages := [][]pair{
		{left(row(1, "a", "", "1"))},
		{unread(1)},
		{both(row(2, "a", "x", "1"), row(2, "a", "x", "1"))}, // these are known to be equal
		{left(row(3, "a", "", "1"))},                         // the last page: no row is left out behind it
	}
	lines, _, _ := scannedFrom(t, source.Pages(func(context.Context) ([]pair, error) {
		page := pages[0]
		if pages = pages[1:]; len(pages) == 0 {
			return page, io.EOF
		}
		return page, nil
	}))
	require.Len(t, lines, 4)
	require.Equal(t, transfer.Scanned{Key: key(num(1), []byte("a"))}, lines[0])
	require.Equal(t, transfer.Scanned{Key: key(num(1)), Static: true, Unsure: true}, lines[1])
	require.NotNil(t, lines[2].Unread)
	require.Equal(t, transfer.Scanned{Key: key(num(3), []byte("a"))}, lines[3])
}

// What an earlier run was told is not told again.
func TestStaticColumnsAreUnsureInARangeThatAnEarlierRunHasBegun(t *testing.T) {
	for _, first := range []int64{0, 7} {
		lines, _, _ := scannedFrom(t, rxcql.NewStream(rxcql.StageInfo{Name: "pairs", Source: true},
			func(ctx context.Context, st *rxcql.Stage, out flow.Observer[pair]) error {
				defer st.Input().Done()
				reservation, err := st.Input().Reserve(ctx, 1)
				if err != nil {
					return err
				}
				reservation.Position = flow.Position{Page: first, Last: true}
				page := &flow.Page[pair]{Rows: []pair{right(row(1, "a", "", "1")), right(row(2, "a", "", "1"))}, Reservation: reservation}
				if err := flow.Deliver(ctx, st.Track(flow.WholeRange), page, 1, nil, out); err != nil {
					return err
				}
				return out.Done(ctx, false)
			}))
		static := 0
		for _, l := range lines {
			if l.Static {
				require.True(t, l.Unsure)
				static++
			}
		}
		require.Equal(t, first > 0, static == 2)
		require.Len(t, lines, 2+static)
	}
}
