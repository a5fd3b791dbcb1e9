package codec_test

import (
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
)

func TestSizeOfCountsWhatHangsFromAValue(t *testing.T) {
	type row struct {
		ID   int64
		Text string
		List []int64
		P    *[4]int64
		Any  any
		At   time.Time
	}
	size := codec.SizeOf[row]()
	at := int(unsafe.Sizeof(row{}))
	require.Equal(t, at, size(&row{At: time.Now()}))
	require.Equal(t, at+5, size(&row{Text: "hello"}))
	require.Equal(t, at+80, size(&row{List: make([]int64, 1, 10)}))
	require.Equal(t, at+32, size(&row{P: new([4]int64)}))
	require.Equal(t, at+16+5, size(&row{Any: "hello"}))
	n := 5
	require.Equal(t, 8, codec.SizeOf[int]()(&n))
	texts := []string{"abc", "de"}
	require.Equal(t, 24+32+5, codec.SizeOf[[]string]()(&texts))
	m := map[string]string{"k": strings.Repeat("x", 1000)}
	require.Greater(t, codec.SizeOf[map[string]string]()(&m), 1000)
	a := [2]string{"a", "b"}
	require.Equal(t, 34, codec.SizeOf[[2]string]()(&a))
}

func TestSizeOfCountsEachTextOfARowThatLeadsToTextAlone(t *testing.T) {
	type name string
	type place struct {
		ID   int32
		City name
		_    [0]*int
	}
	type row struct {
		At    time.Time
		Place place
		Notes struct{ A, B string }
		N     float64
	}
	at := int(unsafe.Sizeof(row{}))
	r := row{At: time.Now()}
	require.Equal(t, at, codec.SizeOf[row]()(&r))
	r.Place.City, r.Notes.A, r.Notes.B = "Oslo", "a note", "b"
	require.Equal(t, at+4+6+1, codec.SizeOf[row]()(&r))
	require.Equal(t, int(unsafe.Sizeof(place{}))+4, codec.SizeOf[place]()(&r.Place))
	type more struct {
		Text string
		List []string
	}
	require.Equal(t, int(unsafe.Sizeof(more{}))+1+16+2, codec.SizeOf[more]()(&more{"a", []string{"bc"}}))
}

func TestSizeOfEndsOnValuesThatHoldThemselves(t *testing.T) {
	type node struct {
		A, B, C, D, E, F *node
		Next             []node
	}
	var n node
	n.A = &n
	require.Positive(t, codec.SizeOf[node]()(&n))
}

func TestDecodeTellsTheSizeThatSizeOfTells(t *testing.T) {
	d, err := codec.NewDecoder[reading](readingColumns)
	require.NoError(t, err)
	var row reading
	for _, raw := range readingPages(250) {
		n, err := d.Decode(raw, &row)
		require.NoError(t, err)
		require.Equal(t, codec.SizeOf[reading]()(&row), n)
	}
}
