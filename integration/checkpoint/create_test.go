package checkpoint_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestATableThatIsMissingOrDifferentIsNamedWithTheRemedy(t *testing.T) {
	t.Parallel()
	session, ks := cassandra.Keyspace(t, cluster, cassandra.Configure(deaf))
	for name, columns := range map[string]string{
		"missing":     "",
		"no_owner":    "(job text PRIMARY KEY, data blob)",
		"no_data":     "(job text PRIMARY KEY, owner uuid)",
		"no_job":      "(work text PRIMARY KEY, owner uuid, data blob)",
		"more_keys":   "(job text, part int, owner uuid, data blob, PRIMARY KEY (job, part))",
		"other_owner": "(job text PRIMARY KEY, owner int, data blob)",
	} {
		table := ks + "." + name
		if columns != "" {
			require.NoError(t, session.Query("CREATE TABLE "+table+" "+columns).Exec())
			err := checkpoint.CreateTable(t.Context(), session, table)
			require.ErrorIs(t, err, rxcql.ErrSchema, name)
			require.ErrorContains(t, err, "checkpoint.CreateTable "+table+": ", name)
			require.ErrorContains(t, err, "give another name, or drop it", name)
		}
		c, err := checkpoint.Table(session, table).Lock(t.Context(), "job")
		if name == "no_data" {
			require.NoError(t, err) // the lease needs no data; Load and Save say so
			require.ErrorIs(t, save(t, c, "x"), rxcql.ErrSchema)
			_, err = c.Load(t.Context())
			require.NoError(t, c.Unlock())
		}
		require.ErrorIs(t, err, rxcql.ErrSchema, name)
		require.ErrorContains(t, err, "checkpoint.Table "+table+`: job "job": `, name)
		require.ErrorContains(t, err, "checkpoint.CreateTable makes the table", name)
		require.ErrorContains(t, err, fmt.Sprintf(`CREATE TABLE "%s"."%s" %s`, ks, name, checkpoint.TableColumns), name)
	}
	err := checkpoint.CreateTable(t.Context(), session, "nowhere_at_all.jobs")
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "make the keyspace first")
	require.ErrorIs(t, checkpoint.CreateTable(t.Context(), session, "jobs"), rxcql.ErrConfig)
	require.ErrorIs(t, checkpoint.CreateTable(t.Context(), nil, "a.jobs"), rxcql.ErrConfig)
}

func TestATableIsMadeOnceAndCanHaveAnyName(t *testing.T) {
	t.Parallel()
	session, ks := cassandra.Keyspace(t, cluster, cassandra.Configure(deaf))
	table := ks + `."Select"`
	for range 2 {
		require.NoError(t, checkpoint.CreateTable(t.Context(), session, table))
	}
	c := lock(t, session, table, "job")
	require.NoError(t, save(t, c, "data"))
	require.NoError(t, session.Query(`ALTER TABLE `+table+` ADD note text`).Exec())
	require.NoError(t, checkpoint.CreateTable(t.Context(), session, table)) // another column does no harm
	require.NoError(t, save(t, c, "more"))
	require.Equal(t, "more", load(t, c))
}
