package cassandra_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func putJar(_ context.Context, into string) error {
	return os.WriteFile(filepath.Join(into, "a.jar"), []byte("jar"), 0o600)
}

func TestJarsAreFetchedOnceHoweverManyAsk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "jars")
	var fetches atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			got, err := cassandra.GetJars(context.Background(), dir, func(ctx context.Context, into string) error {
				fetches.Add(1)
				time.Sleep(50 * time.Millisecond)
				return putJar(ctx, into)
			})
			if err != nil || got != dir {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	wait.Wait()
	require.EqualValues(t, 1, fetches.Load())
	require.FileExists(t, filepath.Join(dir, "a.jar"))
}

func TestAnInterruptedDownloadIsDoneAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "jars")
	_, err := cassandra.GetJars(context.Background(), dir, func(_ context.Context, into string) error {
		require.NoError(t, os.WriteFile(filepath.Join(into, "half.jar"), nil, 0o600))
		return errors.New("line cut")
	})
	require.ErrorContains(t, err, "line cut")
	require.NoDirExists(t, dir)

	// A program that was killed leaves its folder, without a marker.
	for _, left := range []string{dir, dir + ".part"} {
		require.NoError(t, os.MkdirAll(left, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(left, "half.jar"), nil, 0o600))
	}
	got, err := cassandra.GetJars(context.Background(), dir, putJar)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(got, "a.jar"))
	require.NoFileExists(t, filepath.Join(got, "half.jar"))
	require.NoDirExists(t, dir+".part")
}

func TestWaitingForAnotherDownloadEndsWithTheContext(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "jars")
	busy, done := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		_, _ = cassandra.GetJars(context.Background(), dir, func(context.Context, string) error {
			close(busy)
			<-done
			return errors.New("given up")
		})
	})
	<-busy
	ctx, cancel := context.WithTimeout(context.Background(), 250*time.Millisecond)
	defer cancel()
	_, err := cassandra.GetJars(ctx, dir, putJar)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "another process")
	close(done)
	wait.Wait()
}

func TestWithoutMavenTheMessageSaysWhatToInstall(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PATH", t.TempDir())
	j, _, err := cassandra.ServerToRun(context.Background())
	if j.Home() == "" { // a machine whose only Java was on PATH
		require.ErrorContains(t, err, "install a JDK 17")
		return
	}
	require.ErrorContains(t, err, "mvn is not on PATH")
	require.ErrorContains(t, err, "install Maven")
}
