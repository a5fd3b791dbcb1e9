package cqlfake_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// inBubble gives a server with 20 rows in shop.readings, of two partitions, and a session on it.
func inBubble(t *testing.T, fn func(t *testing.T, server *cqlfake.Server, session *gocql.Session)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t)
		server.Keyspace("shop", "readings "+readings)
		session := server.Session("shop")
		for i := range 20 {
			require.NoError(t, session.Query("INSERT INTO readings (sensor, seq, celsius) VALUES (?, ?, ?)", i%2, i, float64(i)).Exec())
		}
		fn(t, server, session)
	})
}

const everyReading = "SELECT sensor, seq, celsius FROM shop.readings"

func TestAFailureComesOnceAndThePageIsReadAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		server.ControlOnce(func(r *cqlfake.Request) *cqlfake.Reply {
			if !r.Reads("shop.readings") || r.PageState == nil {
				return nil
			}
			require.Equal(t, 5, r.PageSize)
			return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
		})
		rows, err := source.Query[reading](session, everyReading, source.PageRows(5)).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 20)
		require.Equal(t, 6, server.Requests(cqlfake.Execute, "shop.readings")-20, "5 pages, the last one empty, and one again")
	})
}

func TestAFailureComesEachTimeUntilItIsStopped(t *testing.T) {
	inBubble(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		stop := server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Reads("") {
				return cqlfake.Fail(&message.ReadTimeout{ErrorMessage: "late", Consistency: primitive.ConsistencyLevelQuorum})
			}
			return nil
		})
		_, err := source.Query[reading](session, everyReading).Collect(t.Context(), rxcql.WithRetry(time.Minute, 2))
		var timeout *gocql.RequestErrReadTimeout
		require.ErrorAs(t, err, &timeout)
		stop()
		rows, err := source.Query[reading](session, everyReading).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 20)
	})
}

func TestEmptyPagesAreNotTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		pages := 0
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if !r.Reads("shop.readings") {
				return nil
			}
			if pages++; pages%2 == 1 {
				return cqlfake.EmptyPage()
			}
			return nil
		})
		iter := session.Query(everyReading).PageSize(3).Iter()
		require.Zero(t, iter.NumRows(), "the first page is empty too")
		require.NotEmpty(t, iter.PageState())
		require.NoError(t, iter.Close())
		pages = 0
		rows, err := source.Query[reading](session, everyReading, source.PageRows(3)).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 20)
		seqs := map[int64]bool{}
		for _, r := range rows {
			seqs[r.Seq] = true
		}
		require.Len(t, seqs, 20, "no row came twice")
	})
}

func TestAWriteOfWhichTheAnswerFailsIsThere(t *testing.T) {
	for name, reply := range map[string]*cqlfake.Reply{
		"timeout": cqlfake.Fail(&message.WriteTimeout{ErrorMessage: "late", WriteType: primitive.WriteTypeSimple}).Applied(),
		"break":   cqlfake.Drop().Applied(),
		"silence": cqlfake.Silence().Applied(),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
				var bound []cqlfake.Value
				server.ControlOnce(func(r *cqlfake.Request) *cqlfake.Reply {
					if !r.Writes("shop.readings") {
						return nil
					}
					bound = r.Statements[0].Values
					return reply
				})
				insert := "INSERT INTO readings (sensor, seq, celsius) VALUES (?, ?, ?)"
				require.Error(t, session.Query(insert, 9, 9, nil).Exec())
				require.Equal(t, []cqlfake.Value{{Bytes: []byte{0, 0, 0, 9}}, {Bytes: []byte{0, 0, 0, 0, 0, 0, 0, 9}}, {}}, bound)
				time.Sleep(2 * time.Minute) // a session connects again when it looks at its hosts
				var seq int64
				require.NoError(t, session.Query("SELECT seq FROM readings WHERE sensor = 9").Scan(&seq))
				require.EqualValues(t, 9, seq)
			})
		})
	}
}

func TestAWriteThatFailsIsNotThere(t *testing.T) {
	inBubble(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		for _, reply := range []*cqlfake.Reply{
			cqlfake.Fail(&message.Unavailable{ErrorMessage: "too few"}), cqlfake.Answer(&message.VoidResult{}), cqlfake.Silence(), cqlfake.Drop(),
		} {
			server.ControlOnce(func(r *cqlfake.Request) *cqlfake.Reply {
				if r.Writes("") {
					return reply
				}
				return nil
			})
			_ = session.Query("INSERT INTO readings (sensor, seq, celsius) VALUES (9, 9, 9.0)").Exec()
			time.Sleep(2 * time.Minute)
			require.ErrorIs(t, session.Query("SELECT seq FROM readings WHERE sensor = 9").Scan(new(int64)), gocql.ErrNotFound)
		}
	})
}

func TestRequestsAreHeldAndCountedWhileTheyAreInFlight(t *testing.T) {
	inBubble(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		held := make(chan struct{})
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Writes("shop.readings") {
				return cqlfake.Tables().When(held)
			}
			return nil
		})
		rows := func(yield func(reading, error) bool) {
			for i := range 40 {
				if !yield(reading{int32(i), 0, 0}, nil) {
					return
				}
			}
		}
		done := make(chan error)
		go func() {
			_, err := rxcql.Run(t.Context(), source.Seq(rows), sink.Table[reading](session, "shop.readings", sink.InFlight(8), sink.BatchRows(1)))
			done <- err
		}()
		synctest.Wait()
		require.Equal(t, 8, server.InFlight())
		close(held)
		require.NoError(t, <-done)
		require.Equal(t, 8, server.MaxInFlight())
		require.Zero(t, server.InFlight())
	})
}

func TestLatencyIsTimeOfTheBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t, cqlfake.Latency(10*time.Second))
		server.Keyspace("shop", "readings "+readings)
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Reads("shop.readings") {
				return cqlfake.Tables().After(5 * time.Second)
			}
			return nil
		})
		session := server.Session("shop")
		require.NoError(t, session.Query("SELECT * FROM readings").Exec()) // prepares it
		begun := time.Now()
		require.NoError(t, session.Query("SELECT * FROM readings").Exec())
		require.Equal(t, 15*time.Second, time.Since(begun))
	})
}

func TestControlFunctionsAreAskedInTheirOrderUntilOneReplies(t *testing.T) {
	inBubble(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		var asked []string
		add := func(name string, reply *cqlfake.Reply) {
			server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
				if r.System() {
					return nil
				}
				asked = append(asked, name+" "+string(r.Kind))
				if r.Kind == cqlfake.Prepare {
					return nil
				}
				return reply
			})
		}
		add("first", nil)
		add("second", cqlfake.Fail(&message.Invalid{ErrorMessage: "no"}))
		add("third", nil)
		require.ErrorContains(t, session.Query("SELECT seq FROM readings").Exec(), "no")
		require.Equal(t, []string{"first PREPARE", "second PREPARE", "third PREPARE", "first EXECUTE", "second EXECUTE"}, asked)
	})
}

func TestARequestSaysWhatIsInABatch(t *testing.T) {
	inBubble(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		var seen []*cqlfake.Request
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Writes("shop.readings") {
				seen = append(seen, r)
			}
			return nil
		})
		b := session.NewBatch(gocql.UnloggedBatch)
		b.Query("INSERT INTO readings (sensor, seq) VALUES (?, 1)", 5)
		b.Query("DELETE FROM readings WHERE sensor = ? AND seq = 1", 6)
		require.NoError(t, session.ExecuteBatch(b))
		require.Len(t, seen, 1)
		require.Equal(t, cqlfake.Batch, seen[0].Kind)
		verbs := []cqlfake.Verb{}
		for _, s := range seen[0].Statements {
			verbs = append(verbs, s.Verb)
			require.Equal(t, "shop.readings", s.Table)
			require.Len(t, s.Values, 1)
		}
		require.True(t, slices.Equal([]cqlfake.Verb{cqlfake.Insert, cqlfake.Delete}, verbs))
		require.Equal(t, 1, server.Requests(cqlfake.Batch, "shop.readings"))
	})
}
