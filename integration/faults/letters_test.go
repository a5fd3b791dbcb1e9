package faults_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestFaultsLoseNoDeadLetters(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster)
	all := originals(t, direct, ks+".src")
	exec(t, direct, "CREATE TABLE "+ks+".plain (seed int, p int, c int, v text, PRIMARY KEY ((seed, p), c))")
	odd := errors.New("odd")
	for seed := range max(6, *seeds/10) {
		letters := fmt.Sprint(ks, ".letters", seed)
		require.NoError(t, deadletter.CreateTable(t.Context(), direct, letters))
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			session := through(t, stand(t, ks, newChance(uint64(13+seed)).decide), impatient)
			in := operators.Map(source.Table[original](session, ks+".src", source.Splits(8), source.PageRows(30)),
				func(o original) (plain, error) {
					if o.C%5 == 1 {
						return plain{}, odd
					}
					return plain{seed, o}, nil
				})
			p, err := rxcql.New(in, sink.Table[plain](session, ks+".plain"),
				rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.Table(session, letters))))
			require.NoError(t, err)
			rep, err := p.Run(t.Context())
			require.NoError(t, err)
			require.True(t, rep.Complete)
			require.Equal(t, rep.ReadRows, rep.Written+rep.DeadLettered)

			found := map[[2]int]bool{}
			for rec, err := range source.Table[deadletter.Record](direct, letters).All(t.Context()) {
				require.NoError(t, err)
				l, err := deadletter.Decode[original](rec)
				require.NoError(t, err)
				require.Equal(t, all[[2]int{l.Row.P, l.Row.C}], l.Row.V)
				require.Equal(t, 1, l.Row.C%5)
				found[[2]int{l.Row.P, l.Row.C}] = true
			}
			require.Len(t, found, 40*8) // of 0 to 36: 1, 6, … 36
			require.EqualValues(t, len(found), rep.DeadLettered)
			t.Logf("%d letters, %d retried", rep.DeadLettered, rep.Retried)
		})
	}
}
