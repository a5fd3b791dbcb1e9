package operators_test

import (
	"bytes"
	"context"
	"math"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func TestGroupsOfAKeyThatIsNoNumberAreNotLostWhenAJobGoesOn(t *testing.T) {
	type reading struct {
		key float64
		n   int
	}
	rows := make([]reading, 6)
	for i := range rows {
		rows[i] = reading{math.NaN(), i}
	}
	run := func(failAt int, store *jobtest.Store, got map[int]bool) error {
		parts := &jobtest.Parts[reading]{PageRows: 1, Rows: [][]reading{rows}}
		in := operators.Tap(parts.Stream(), func(r reading) error {
			if r.n == failAt {
				return errUser
			}
			return nil
		})
		groups := operators.GroupAdjacent(in, func(r reading) float64 { return r.key }, zero, func(_ int, r reading) (int, error) { return r.n, nil })
		to := sink.Each(func(_ context.Context, g operators.Group[float64, int]) error { got[g.Value] = true; return nil }, sink.Idempotent())
		p, err := rxcql.New(groups, to, rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		_, err = p.Run(context.Background())
		return err
	}
	whole, got := map[int]bool{}, map[int]bool{}
	require.NoError(t, run(-1, &jobtest.Store{}, whole))
	require.Len(t, whole, 6)
	store := &jobtest.Store{}
	require.ErrorIs(t, run(3, store, got), errUser)
	require.NoError(t, run(-1, store, got))
	require.Equal(t, whole, got)
}

func TestKeysAreHashedAlikeWhereTheyAreEqualAndNowhereElse(t *testing.T) {
	nan, minusZero := math.NaN(), math.Copysign(0, -1)
	otherNaN := math.Float64frombits(math.Float64bits(nan) ^ 1)
	type reading struct {
		name string
		at   [2]float64
	}
	type narrow struct {
		f float32
		n int8
	}
	type padded struct {
		n int
		_ int
	}
	strange := padded{n: 1}
	*(*[2]int)(unsafe.Pointer(&strange)) = [2]int{1, 7} // == does not look at fields that have no name
	for name, keys := range map[string][]any{
		"float64":    {0.0, minusZero, nan, otherNaN, 1.0, -1.0, math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat64},
		"float32":    {float32(0), float32(minusZero), float32(nan), float32(0.1), math.Nextafter32(0.1, 1)},
		"complex128": {complex(0, 0), complex(minusZero, minusZero), complex(nan, 0), complex(0, nan), complex(1, 0), complex(0, 1)},
		"complex64":  {complex64(0), complex64(complex(minusZero, 0)), complex64(complex(nan, nan)), complex64(complex(1, 2))},
		"array":      {[2]float64{}, [2]float64{minusZero}, [2]float64{nan}, [2]float64{0, nan}, [2]float64{1}, [2]float64{0, 1}},
		"struct": {reading{}, reading{"a", [2]float64{minusZero, 0}}, reading{"a", [2]float64{0, minusZero}}, reading{"a", [2]float64{0, nan}},
			reading{"", [2]float64{1}}},
		"narrow": {narrow{}, narrow{float32(minusZero), 0}, narrow{float32(nan), 1}, narrow{1, -1}, narrow{1, 1}},
		"padded": {padded{n: 1}, strange, padded{n: 2}},
		"int":    {0, -1, 1, math.MaxInt64, math.MinInt64},
		"uint64": {uint64(0), uint64(1), uint64(math.MaxUint64)},
		"string": {"", "\x00", "a", "a\x00"},
		"bool":   {false, true},
	} {
		for i, a := range keys {
			for j, b := range keys {
				alike := bytes.Equal(operators.HashKey(a), operators.HashKey(b))
				require.Equal(t, a == b, alike, "%s: key %d and key %d", name, i, j)
			}
		}
	}
}

func TestAKeyOfWhichEqualityIsNotKnownInAnotherProcessIsRefused(t *testing.T) {
	with := rxcql.WithCheckpoint(&jobtest.Store{}, "job")
	type day struct {
		Sensor string
		At     time.Time
	}
	type unnamed struct {
		N int
		_ *int
	}
	require.ErrorContains(t, grouped[time.Time](with), "UnixMicro")
	for name, err := range map[string]error{
		"time.Time": grouped[time.Time](with), "operators_test.day": grouped[day](with), "*int": grouped[*int](with), "interface": grouped[any](with),
		"[1]chan int": grouped[[1]chan int](with), "uintptr": grouped[uintptr](with), "*time.Location": grouped[*time.Location](with),
	} {
		require.ErrorIs(t, err, rxcql.ErrNotResumable, name)
		require.ErrorContains(t, err, name)
		require.ErrorContains(t, err, "GroupAdjacent")
	}
	require.NoError(t, grouped[unnamed](with))
	require.NoError(t, grouped[time.Time](), "without a checkpoint")
}

// grouped is what New says of groups by keys of a type.
func grouped[K comparable](opts ...rxcql.Option) error {
	parts := &jobtest.Parts[int]{}
	groups := operators.GroupAdjacent(parts.Stream(), func(int) (key K) { return key }, zero, func(s, _ int) (int, error) { return s, nil })
	to := sink.Each(func(context.Context, operators.Group[K, int]) error { return nil }, sink.Idempotent())
	_, err := rxcql.New(groups, to, opts...)
	return err
}
