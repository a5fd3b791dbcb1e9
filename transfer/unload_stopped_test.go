package transfer_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/transfer"
	"github.com/rxcql/rxcql/transfer/parquetfiles"
)

func TestFilesOfAnUnloadThatWasStoppedAreNotTakenForTheWholeTable(t *testing.T) {
	for _, format := range []transfer.Format{transfer.NDJSON(), transfer.JSONArray(), parquetfiles.Format()} {
		for _, name := range []string{"dump", "t-%03d" + format.Extension()} {
			t.Run(format.Name()+" "+name, func(t *testing.T) {
				folder := t.TempDir()
				synctest.Test(t, func(t *testing.T) {
					server, rows := countTable(t, 200)
					server.Exec("CREATE TABLE ks.u (p int, c int, s text STATIC, v text, PRIMARY KEY (p, c))")
					session := server.Session("")
					path := filepath.Join(folder, name)
					formats := []transfer.FilesOption{transfer.WithFormat(format)}
					unload := func(opts ...transfer.UnloadOption) *transfer.UnloadJob {
						opts = append(opts, formats[0], transfer.WithSplits(16), transfer.WithWorkers(1))
						job, err := transfer.Unload(transfer.Table{Session: session, Name: "ks.t"}, path, opts...)
						require.NoError(t, err)
						return job
					}
					load := func() (transfer.LoadReport, error) {
						job, err := transfer.Load(path, transfer.Table{Session: session, Name: "ks.u"}, formats[0])
						require.NoError(t, err)
						return job.Run(t.Context())
					}

					job, reads := unload(), atomic.Int64{}
					stop := server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
						if r.Reads("ks.t") && reads.Add(1) == 5 {
							job.Stop()
						}
						return nil
					})
					rep, err := job.Run(t.Context())
					stop()
					require.NoError(t, err)
					require.False(t, rep.Complete)
					require.NotZero(t, rep.Written)
					_, err = load()
					require.ErrorContains(t, err, "0-unfinished"+format.Extension()+".part says that rows are missing")

					_, err = unload().Run(t.Context())
					require.Error(t, err, "files are there")
					_, err = load()
					require.ErrorContains(t, err, "rows are missing", "it is as it was")
					rep, err = unload(transfer.Replace()).Run(t.Context())
					require.NoError(t, err)
					require.True(t, rep.Complete)
					loaded, err := load()
					require.NoError(t, err)
					require.EqualValues(t, rows+20, loaded.ReadRows, "20 partitions have static columns alone")

					_, err = unload().Run(t.Context())
					require.Error(t, err, "files are there")
					_, err = load()
					require.NoError(t, err, "an unload that was refused changes nothing")
				})
			})
		}
	}
}
