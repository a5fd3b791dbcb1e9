package source_test

import (
	"fmt"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/source"
)

// tenant does not show itself, as types for secrets do not.
type tenant string

func (tenant) GoString() string               { return "[hidden]" }
func (tenant) String() string                 { return "[hidden]" }
func (tenant) Format(s fmt.State, _ rune)     { _, _ = s.Write([]byte("[hidden]")) }
func (t tenant) MarshalText() ([]byte, error) { return []byte("[hidden]"), nil }

func TestAJobOfOneBoundValueIsNotThatOfAnotherThatLooksLikeIt(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (p text, m frozen<map<text, int>>, c int, PRIMARY KEY ((p, m), c))", ks)
	for c := range 100 {
		exec(t, session, "INSERT INTO %s.t (p, m, c) VALUES ('a', {'x': 1, 'y': 2, 'z': 3}, %d)", ks, c)
		exec(t, session, "INSERT INTO %s.t (p, m, c) VALUES ('b', {'x': 1, 'y': 2, 'z': 3}, %d)", ks, c)
	}
	of := func(p any) rxcql.Stream[int32] {
		m := map[string]int{"x": 1, "y": 2, "z": 3} // its order is another one each time
		return source.Query[int32](session, "SELECT c FROM "+ks+".t WHERE p = ? AND m = ?", source.Bind(p, m), source.PageRows(10))
	}
	store := &jobtest.Store{}
	_, err := brokenOff(t, of(tenant("a")), store, 50)
	require.ErrorIs(t, err, errBroken)
	require.NotContains(t, string(store.Get("job")), "hidden")

	_, err = brokenOff(t, of(tenant("b")), store, 0)
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, "hash of the bound values was")

	old := &jobtest.Store{}
	old.Put("job", withFact(t, store.Get("job"), "hash of the bound values", "1f40fc92da241694750979ee6cf582f2"))
	_, err = brokenOff(t, of(tenant("a")), old, 0)
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign, "of a hash that went by how a value shows itself")

	rep, err := brokenOff(t, of("a"), store, 0)
	require.NoError(t, err, "the same value in another type is the same")
	require.EqualValues(t, 100, rep.ResumedRows+rep.ReadRows)
	require.NotZero(t, rep.ResumedRows)
}

// withFact changes a fact in a checkpoint.
func withFact(t *testing.T, data []byte, name, value string) []byte {
	t.Helper()
	state, err := saved.Decode(data)
	require.NoError(t, err)
	found := false
	for i, f := range state.Sources[0].Facts {
		if f.Name == name {
			state.Sources[0].Facts[i].Value, found = value, true
		}
	}
	require.True(t, found)
	data, err = saved.Encode(state)
	require.NoError(t, err)
	return data
}

type panicking struct{}

func (panicking) MarshalCQL(gocql.TypeInfo) ([]byte, error) { panic("4111111111111111") }

func TestAPanicInAnEncodingOfABoundValueIsTheUsers(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (p text PRIMARY KEY)", ks)
	in := source.Query[string](session, "SELECT p FROM "+ks+".t WHERE p = ?", source.Bind(panicking{}))
	_, read := in.Collect(t.Context())
	for _, err := range []error{in.Check(t.Context()), read} {
		require.ErrorIs(t, err, rxcql.ErrPanic)
		require.ErrorContains(t, err, "bound value 1")
		require.NotContains(t, err.Error(), "4111")
	}
}
