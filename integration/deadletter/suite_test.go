package deadletter_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
)

func TestATableOfLettersIsAStoreByTheRules(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster)
	var tables atomic.Int64
	rxcqltest.TestDeadLetters(t, func(t testing.TB) rxcqltest.DeadLetterPlace {
		t.(*testing.T).Parallel()
		p := &lettersTable{table: fmt.Sprintf("%s.letters%d", ks, tables.Add(1))}
		require.NoError(t, deadletter.CreateTable(t.Context(), direct, p.table))
		p.connect(t)
		return rxcqltest.DeadLetterPlace{
			Store:   func() rxcql.DeadLetterStore { return p },
			Letters: func() []rxcql.Letter { return lettersIn(t, direct, p.table) },
			Fail: func(fail bool) {
				if fail {
					p.session.Close()
					return
				}
				p.connect(t)
			},
		}
	})
}

// lettersTable is a table with a session that may be closed, and another one then.
type lettersTable struct {
	table   string
	session *gocql.Session
}

func (p *lettersTable) connect(t testing.TB) {
	config := cluster.Config()
	config.Events.DisableSchemaEvents = true // it does not hear of the tables of others
	session, err := config.CreateSession()
	require.NoError(t, err)
	t.Cleanup(session.Close)
	p.session = session
}

func (p *lettersTable) Check(ctx context.Context) error {
	return deadletter.Table(p.session, p.table).Check(ctx)
}

func (p *lettersTable) Open(ctx context.Context) (rxcql.DeadLetterWriter, error) {
	return deadletter.Table(p.session, p.table).Open(ctx)
}

// lettersIn are the letters of a table.
func lettersIn(t testing.TB, session *gocql.Session, table string) (letters []rxcql.Letter) {
	iter := session.Query("SELECT run, n, time, stage, error, range, page, row_index, type, \"row\" FROM " + table).Iter()
	for {
		var l rxcql.Letter
		if !iter.Scan(&l.Run, &l.N, &l.Time, &l.Stage, &l.Error, &l.Range, &l.Page, &l.Index, &l.Type, &l.Row) {
			break
		}
		letters = append(letters, l)
	}
	assert.NoError(t, iter.Close())
	return letters
}

func TestARowWhoseErrorIsNotUTF8BecomesALetterOfATable(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	require.NoError(t, deadletter.CreateTable(t.Context(), session, ks+".letters"))
	in := operators.Tap(notes(1, func(int) {}), func(note) error { return errors.New("bad \xff byte") })
	rep, err := in.ForEach(t.Context(), nil, rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.Table(session, ks+".letters"))))
	require.NoError(t, err)
	require.EqualValues(t, 1, rep.DeadLettered)
	require.Equal(t, "bad \uFFFD byte", lettersIn(t, session, ks+".letters")[0].Error)
}
