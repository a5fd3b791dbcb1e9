package transfer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/datastax/go-cassandra-native-protocol/message"
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

// What an unload has removed is missing too, also if it has not come to write a row.
func TestAnUnloadThatHasReplacedFilesAndWrittenNoneLeavesItsMark(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "t-%d.ndjson")
	synctest.Test(t, func(t *testing.T) {
		server, _ := countTable(t, 20)
		session := server.Session("")
		for i := range 4 {
			require.NoError(t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("t-%d.ndjson", i)), []byte(`{"p":1,"c":1}`+"\n"), 0o600))
		}
		inWay := filepath.Join(folder, "t-2.ndjson")
		require.NoError(t, os.Remove(inWay))
		require.NoError(t, os.MkdirAll(filepath.Join(inWay, "x"), 0o700)) // which cannot be removed
		job, err := transfer.Unload(transfer.Table{Session: session, Name: "ks.t"}, path, transfer.Replace())
		require.NoError(t, err)
		rep, err := job.Run(t.Context())
		require.Error(t, err)
		require.Zero(t, rep.Written)
		require.NoFileExists(t, filepath.Join(folder, "t-0.ndjson"))
		require.FileExists(t, filepath.Join(folder, "t-3.ndjson"))

		require.NoError(t, os.RemoveAll(inWay))
		load, err := transfer.Load(path, transfer.Table{Session: session, Name: "ks.t"})
		require.NoError(t, err)
		_, err = load.Run(t.Context())
		require.ErrorContains(t, err, "rows are missing")
	})
}

// Names of other tables may begin as those of this one, and their files are written meanwhile.
func TestAnUnloadThatFailsAndHasChangedNothingLeavesNoMarkWhateverElseIsWritten(t *testing.T) {
	for name, other := range map[string]string{"t-%d.csv": "t-items-0.csv", "%d.csv": "items.csv", "t%d.csv": "t0.json", "x%d.csv": "x0.csv.gz"} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, name)
			synctest.Test(t, func(t *testing.T) {
				server, _ := countTable(t, 20)
				table := transfer.Table{Session: server.Session(""), Name: "ks.t"}
				unload := func() error {
					job, err := transfer.Unload(table, path)
					require.NoError(t, err)
					_, err = job.Run(t.Context())
					return err
				}
				stop := server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
					if !r.Reads("ks.t") {
						return nil
					}
					require.NoError(t, os.WriteFile(filepath.Join(folder, other), []byte("x\n"), 0o600))
					return cqlfake.Fail(&message.Unauthorized{ErrorMessage: "not you"})
				})
				require.ErrorContains(t, unload(), "not you")
				stop()
				marks, err := filepath.Glob(filepath.Join(folder, "*.part"))
				require.NoError(t, err)
				require.Empty(t, marks)
			})
		})
	}
}

func TestAnUnloadRemovesNothingBeforeItsMarkIsThere(t *testing.T) {
	folder := t.TempDir()
	prefix := strings.Repeat("x", 255-len("0.ndjson.part")) // there is no room for the name of the mark
	old := filepath.Join(folder, prefix+"0.csv")
	require.NoError(t, os.WriteFile(old, []byte("p,c\n1,1\n"), 0o600))
	synctest.Test(t, func(t *testing.T) {
		server, _ := countTable(t, 1)
		job, err := transfer.Unload(transfer.Table{Session: server.Session(""), Name: "ks.t"}, filepath.Join(folder, prefix+"%d.ndjson"), transfer.Replace())
		require.NoError(t, err)
		_, err = job.Run(t.Context())
		require.Error(t, err)
		require.FileExists(t, old)
	})
}

func TestAFolderWithoutTheFilesOfAShareIsNotTakenForTheWholeTable(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		server, rows := countTable(t, 50)
		server.Exec("CREATE TABLE ks.u (p int, c int, s text STATIC, v text, PRIMARY KEY (p, c))")
		session := server.Session("")
		load := func() (transfer.LoadReport, error) {
			job, err := transfer.Load(folder, transfer.Table{Session: session, Name: "ks.u"})
			require.NoError(t, err)
			return job.Run(t.Context())
		}
		for _, share := range []int{2, 0, 1} {
			job, err := transfer.Unload(transfer.Table{Session: session, Name: "ks.t"}, folder, transfer.WithShard(share, 3))
			require.NoError(t, err)
			_, err = job.Run(t.Context())
			require.NoError(t, err)
			if share == 1 {
				break
			}
			_, err = load()
			require.ErrorContains(t, err, map[int]string{2: "and none of share 0/3", 0: "and none of share 1/3"}[share])
		}
		rep, err := load()
		require.NoError(t, err)
		require.EqualValues(t, rows+5, rep.ReadRows)
	})
}
