package checkpoint_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
)

func TestATableGivesBackWhatWasSavedLast(t *testing.T) {
	session, table := newTable(t)
	for _, opts := range [][]checkpoint.TableOption{nil, {checkpoint.LocalSerial()}} {
		job := fmt.Sprintf("a job's name, \"quoted\" %d", len(opts))
		c := lock(t, session, table, job, opts...)
		data, err := c.Load(t.Context())
		require.NoError(t, err)
		require.Nil(t, data)
		for _, data := range []string{"one\x00\xff\n", "2", strings.Repeat("three", 200_000)} {
			require.NoError(t, save(t, c, data))
			require.Equal(t, data, load(t, c))
		}
		require.NoError(t, c.Unlock())
		require.Equal(t, strings.Repeat("three", 200_000), load(t, lock(t, session, table, job, opts...)))
	}
}

func TestAJobIsLockedByOneAtATimeAndFreeAtOnceAfterUnlock(t *testing.T) {
	session, table := newTable(t)
	for range 5 {
		c := lock(t, session, table, "job")
		refused(t, session, table, "job")
		refused(t, session, table, "job")
		require.NoError(t, c.Unlock())
		require.False(t, isLost(c), "giving up is not losing")
		require.ErrorIs(t, save(t, c, "late"), rxcql.ErrCheckpointLost)
	}
	require.Empty(t, load(t, lock(t, session, table, "job")))
}

func TestTwoJobsDoNotDisturbEachOther(t *testing.T) {
	session, table := newTable(t)
	a, b := lock(t, session, table, "a"), lock(t, session, table, "b", checkpoint.Lease(shortLease))
	require.NoError(t, save(t, a, "of a"))
	require.NoError(t, save(t, b, "of b"))
	require.NoError(t, a.Unlock())
	require.NoError(t, session.Query("DELETE FROM "+table+" WHERE job = 'a'").Exec())
	time.Sleep(shortLease + 2*time.Second)
	require.False(t, isLost(b))
	refused(t, session, table, "b")
	require.NoError(t, save(t, b, "more of b"))
	require.Equal(t, "more of b", load(t, b))
	require.Empty(t, load(t, lock(t, session, table, "a")))
}

// shortLease is one that tests outlive. It is renewed every 3 s, and a machine that does
// not get round to that for 9 s loses it.
const shortLease = 9 * time.Second

func TestRenewalKeepsTheLeaseBeyondItsTime(t *testing.T) {
	session, table := newTable(t)
	c := lock(t, session, table, "job", checkpoint.Lease(shortLease))
	require.NoError(t, save(t, c, "old"))
	for range 12 {
		time.Sleep(time.Second)
		require.False(t, isLost(c))
		refused(t, session, table, "job")
	}
	require.NoError(t, save(t, c, "new"))
	require.NoError(t, c.Unlock())
	require.Equal(t, "new", load(t, lock(t, session, table, "job")))
}

func TestOnlyTheOwnerHasATimeToLive(t *testing.T) {
	session, table := newTable(t)
	require.NoError(t, session.Query("ALTER TABLE "+table+" WITH default_time_to_live = 2").Exec())
	c := lock(t, session, table, "job", checkpoint.Lease(time.Minute))
	require.NoError(t, save(t, c, "data"))
	var owner, data *int
	require.NoError(t, session.Query("SELECT TTL(owner), TTL(data) FROM "+table+" WHERE job = 'job'").
		Consistency(gocql.Consistency(gocql.Serial)).Scan(&owner, &data))
	require.Nil(t, data)
	require.NotNil(t, owner)
	require.LessOrEqual(t, *owner, 62)
	require.Greater(t, *owner, 2)

	require.NoError(t, c.Unlock())
	time.Sleep(3 * time.Second) // longer than the table's default
	require.Equal(t, "data", load(t, lock(t, session, table, "job")))
}

func TestASaveIsRefusedByTheServerWhenAnotherHasTheLease(t *testing.T) {
	session, table := newTable(t)
	c := lock(t, session, table, "job", checkpoint.Lease(time.Minute)) // no renewal finds it out before
	require.NoError(t, save(t, c, "old"))
	var owner gocql.UUID
	require.NoError(t, session.Query("SELECT owner FROM "+table+" WHERE job = 'job'").
		Consistency(gocql.Consistency(gocql.Serial)).Scan(&owner))
	other := gocql.MustRandomUUID()
	applied, err := session.Query("UPDATE "+table+" SET owner = ? WHERE job = 'job' IF owner = ?", other, owner).ScanCAS(&owner)
	require.NoError(t, err)
	require.True(t, applied)

	require.False(t, isLost(c))
	err = save(t, c, "secret of the zombie")
	require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
	require.ErrorContains(t, err, "checkpoint.Table "+table+`: job "job": save: `)
	require.NotContains(t, err.Error(), "secret")
	require.True(t, isLost(c))
	require.Equal(t, "old", load(t, c))
	require.NoError(t, c.Unlock()) // leaves the other's lease alone
	refused(t, session, table, "job")
}

func TestACheckpointTooLargeForTheServerIsNamed(t *testing.T) {
	session, table := newTable(t)
	c := lock(t, session, table, "job")
	require.NoError(t, save(t, c, "old"))
	err := save(t, c, strings.Repeat("secret", 3_500_000))
	require.ErrorContains(t, err, "checkpoint.Table "+table+`: job "job": save: `)
	require.ErrorContains(t, err, "keep the checkpoint in a checkpoint.File")
	require.NotContains(t, err.Error(), "secret")
	require.Equal(t, "old", load(t, c))
	require.NoError(t, save(t, c, "new"))
}

func TestASessionThatIsClosedIsNamed(t *testing.T) {
	session, table := newTable(t)
	config := cluster.Config()
	deaf(config)
	own, err := config.CreateSession()
	require.NoError(t, err)
	short := checkpoint.Lease(shortLease)
	c, other := lock(t, own, table, "job", short), lock(t, own, table, "other", short)
	own.Close()
	require.ErrorContains(t, other.Unlock(), "ends by itself within 11 s")
	require.ErrorContains(t, save(t, c, "new"), "the Cassandra session is closed")
	require.ErrorContains(t, save(t, c, "new"), "close it after the run")
	_, err = c.Load(t.Context())
	require.ErrorContains(t, err, "session is closed")
	<-c.Lost() // nothing renews it any more
	require.NoError(t, c.Unlock())

	store := checkpoint.Table(own, table)
	_, err = store.Lock(t.Context(), "job")
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "session is closed")
	_, err = checkpoint.Table(nil, "a.b.c", checkpoint.Lease(time.Second), nil).Lock(t.Context(), "job")
	for _, says := range []string{"session", "a.b.c", "Lease(1s): must be from 3s to 24h", "an option is nil"} {
		require.ErrorContains(t, err, says)
	}
	for _, job := range []string{"", "\xff", strings.Repeat("x", 65536)} {
		_, err = checkpoint.Table(session, table).Lock(t.Context(), job)
		require.ErrorIs(t, err, rxcql.ErrConfig)
	}
}

func TestATableThatIsMadeAgainHasNoJobAnyMore(t *testing.T) {
	for _, columns := range []string{checkpoint.TableColumns, "(job text PRIMARY KEY, owner uuid, data text)", "(job blob PRIMARY KEY, owner uuid, data blob)"} {
		t.Run(columns, func(t *testing.T) {
			session, table := newTable(t)
			c := lock(t, session, table, "job", checkpoint.Lease(time.Minute))
			require.NoError(t, save(t, c, "old"))
			require.NoError(t, session.Query("DROP TABLE "+table).Exec())
			require.NoError(t, session.Query("CREATE TABLE "+table+" "+columns).Exec())
			err := save(t, c, "new")
			require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
			require.True(t, isLost(c))
			var n int
			require.NoError(t, session.Query("SELECT count(*) FROM "+table).Scan(&n))
			require.Zero(t, n)
		})
	}
}
