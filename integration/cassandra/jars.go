package cassandra

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Version is the Cassandra that the process way runs.
const Version = "5.0.6"

// jarsMarker is written last, so a folder without it is an interrupted download.
const jarsMarker = ".complete"

// pom asks Maven for the daemon and what it needs at run time.
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>rxcql</groupId><artifactId>cassandra-run</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>` + Version + `</version>
  </dependency></dependencies>
</project>
`

// jarStore is a folder of jars that is filled once, by the first program that needs it.
type jarStore struct {
	dir string // …/rxcql/cassandra-5.0.6 in the user's cache folder
	// fetch puts the jars into a folder that exists and is empty.
	fetch func(ctx context.Context, into string) error
}

func userJars(j java) (jarStore, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return jarStore{}, fmt.Errorf("no cache folder for the Cassandra jars: %w", err)
	}
	return jarStore{
		dir:   filepath.Join(cache, "rxcql", "cassandra-"+Version),
		fetch: func(ctx context.Context, into string) error { return mvnCopy(ctx, j, into) },
	}, nil
}

// get gives the folder with all jars and fills it first if need be. Of several
// processes that ask at once one downloads and the others wait for it. What an
// interrupted download left is thrown away.
func (s jarStore) get(ctx context.Context, progress func(string, ...any)) (string, error) {
	if s.complete() {
		return s.dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(s.dir), 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder for the Cassandra jars: %w", err)
	}
	lock := flock.New(s.dir + ".lock")
	defer lock.Close()
	if ok, err := lock.TryLock(); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Path(), err)
	} else if !ok {
		progress("another process is downloading Cassandra, waiting for it")
		if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
			return "", fmt.Errorf("wait for another process that downloads Cassandra (%s): %w", lock.Path(), err)
		}
	}
	if s.complete() {
		return s.dir, nil
	}
	progress("downloading Cassandra %s (66 MB) into %s …", Version, s.dir)
	start := time.Now()
	part := s.dir + ".part"
	if err := errors.Join(os.RemoveAll(part), os.RemoveAll(s.dir), os.MkdirAll(part, 0o755)); err != nil {
		return "", fmt.Errorf("clear the cache folder for the Cassandra jars: %w", err)
	}
	if err := s.fetch(ctx, part); err != nil {
		return "", errors.Join(err, os.RemoveAll(part))
	}
	if err := os.WriteFile(filepath.Join(part, jarsMarker), nil, 0o644); err != nil {
		return "", fmt.Errorf("mark the Cassandra jars complete: %w", err)
	}
	if err := os.Rename(part, s.dir); err != nil {
		return "", fmt.Errorf("put the Cassandra jars in place: %w", err)
	}
	progress("downloaded Cassandra %s in %.1f s", Version, time.Since(start).Seconds())
	return s.dir, nil
}

func (s jarStore) complete() bool {
	_, err := os.Stat(filepath.Join(s.dir, jarsMarker))
	return err == nil
}

// mvnCopy has Maven copy the daemon and its dependencies into a folder, with the
// mirrors and proxies that the user's Maven settings name.
func mvnCopy(ctx context.Context, j java, into string) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("mvn is not on PATH and the Cassandra jars are not in the cache yet; " +
			"install Maven (Debian: maven, macOS: maven), it is needed once")
	}
	work, err := os.MkdirTemp("", "rxcql-mvn-")
	if err != nil {
		return fmt.Errorf("make a folder for mvn: %w", err)
	}
	defer os.RemoveAll(work)
	if err := os.WriteFile(filepath.Join(work, "pom.xml"), []byte(pom), 0o644); err != nil {
		return fmt.Errorf("write a pom.xml for mvn: %w", err)
	}
	cmd := exec.CommandContext(ctx, mvn, "-q", "-B", "dependency:copy-dependencies",
		"-DoutputDirectory="+into, "-DincludeScope=runtime")
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "JAVA_HOME="+j.home)
	cmd.WaitDelay = 5 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mvn could not copy org.apache.cassandra:cassandra-all:%s (is a Maven repository "+
			"reachable? see the user's Maven settings): %w\n%s", Version, err, lastLines(string(out), 10))
	}
	jars, err := filepath.Glob(filepath.Join(into, "cassandra-all-*.jar"))
	if err != nil || len(jars) == 0 {
		return fmt.Errorf("mvn ended well but copied no cassandra-all jar into %s: %w", into, fs.ErrNotExist)
	}
	return nil
}

// lastLines is the end of a text, for an error message.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
