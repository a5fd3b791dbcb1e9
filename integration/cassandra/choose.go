package cassandra

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// chooser decides which way to a Cassandra is taken. Its functions stand for the outside world, so
// that each decision and each message can be tested without an engine.
type chooser struct {
	settings *settings
	goos     string
	env      func(string) string

	useHosts func(ctx context.Context, list string) (*Cluster, error)
	// findImage gives an image that the engine has now, after a pull if need be.
	findImage    func(ctx context.Context) (image string, err error)
	runContainer func(ctx context.Context, image string) (*Cluster, error)
	// findServer gives a Java and a folder of jars, after a download if need be.
	findServer func(ctx context.Context) (j java, jars string, err error)
	runProcess func(ctx context.Context, j java, jars string) (*Cluster, error)
}

func systemChooser(s *settings) *chooser {
	return &chooser{
		settings: s, goos: runtime.GOOS, env: os.Getenv,
		useHosts: func(ctx context.Context, list string) (*Cluster, error) {
			return useHosts(ctx, s, list, os.Getenv)
		},
		findImage: func(ctx context.Context) (string, error) { return findImage(ctx, s) },
		runContainer: func(ctx context.Context, image string) (*Cluster, error) {
			return startContainer(ctx, s, image)
		},
		findServer: func(ctx context.Context) (java, string, error) { return findServer(ctx, s) },
		runProcess: func(ctx context.Context, j java, jars string) (*Cluster, error) {
			return startProcess(ctx, s, j, jars)
		},
	}
}

// findServer looks for a Java and fetches the jars the first time.
func findServer(ctx context.Context, s *settings) (java, string, error) {
	j, err := systemJava().find(ctx)
	if err != nil {
		return java{}, "", err
	}
	store, err := userJars(j)
	if err != nil {
		return java{}, "", err
	}
	jars, err := store.get(ctx, s.progress)
	return j, jars, err
}

// start takes the first way that works. A way that is not available leads to the
// next one with a note; a server that was found but does not come up is an error,
// since going on would hide that something is broken.
func (c *chooser) start(ctx context.Context) (*Cluster, error) {
	list, forced := c.env("CASSANDRA_HOSTS"), Way(c.env("RXCQL_CASSANDRA"))
	switch forced {
	case "", WayHosts, WayContainer, WayProcess:
	default:
		return nil, fmt.Errorf("cassandra: RXCQL_CASSANDRA is %q: it must be hosts, container or process", forced)
	}
	switch {
	case list != "" && forced != "" && forced != WayHosts:
		return nil, fmt.Errorf("cassandra: CASSANDRA_HOSTS is set and RXCQL_CASSANDRA is %s: unset one of them", forced)
	case list != "":
		return c.startHosts(ctx, list)
	case forced == WayHosts:
		return nil, errors.New("cassandra: RXCQL_CASSANDRA is hosts but CASSANDRA_HOSTS is not set: " +
			"set it to the servers, as host or host:port with commas between them")
	}
	notes := []string{"hosts: CASSANDRA_HOSTS is not set; set it to host or host:port of a server that runs"}
	if forced != WayProcess {
		cluster, note, err := c.tryContainer(ctx)
		if cluster != nil || err != nil {
			return cluster, err
		}
		if forced == WayContainer {
			return nil, fmt.Errorf("cassandra: RXCQL_CASSANDRA is container, but %s", note)
		}
		c.settings.progress("no container (%s), trying a local process", firstLine(note))
		notes = append(notes, "container: "+note)
	}
	cluster, note, err := c.tryProcess(ctx)
	if cluster != nil || err != nil {
		return cluster, err
	}
	if forced == WayProcess {
		return nil, fmt.Errorf("cassandra: RXCQL_CASSANDRA is process, but %s", note)
	}
	notes = append(notes, "process: "+note)
	return nil, fmt.Errorf("cassandra: none of the ways to a Cassandra works; fix one of these:\n  - %s",
		strings.Join(notes, "\n  - "))
}

func (c *chooser) startHosts(ctx context.Context, list string) (*Cluster, error) {
	if c.settings.nodes > 1 || len(c.settings.yaml) > 0 {
		return nil, errors.New("cassandra: CASSANDRA_HOSTS is set, but this test wants Nodes or Setting and so a " +
			"server of its own: unset CASSANDRA_HOSTS for it")
	}
	cluster, err := c.useHosts(ctx, list)
	if err != nil {
		return nil, fmt.Errorf("cassandra: %w", err)
	}
	return cluster, nil
}

// tryContainer gives a cluster, or a note why this way is not available, or an
// error that ends the search.
func (c *chooser) tryContainer(ctx context.Context) (cluster *Cluster, note string, err error) {
	if only := c.settings.processOnly(); len(only) > 0 {
		return nil, "this test wants " + strings.Join(only, ", ") + ", which only a local process gives", nil
	}
	image, err := c.findImage(ctx)
	if err != nil {
		return nil, err.Error(), cancelled(ctx)
	}
	cluster, err = c.runContainer(ctx, image)
	if err != nil {
		return nil, "", fmt.Errorf("cassandra: image %s was found but does not come up (RXCQL_CASSANDRA=process "+
			"takes a local process instead): %w", image, err)
	}
	return cluster, "", nil
}

func (c *chooser) tryProcess(ctx context.Context) (cluster *Cluster, note string, err error) {
	if c.goos == "windows" {
		return nil, "Cassandra does not run on Windows; use CASSANDRA_HOSTS or a container engine", nil
	}
	j, jars, err := c.findServer(ctx)
	if err != nil {
		return nil, err.Error(), cancelled(ctx)
	}
	cluster, err = c.runProcess(ctx, j, jars)
	if err != nil {
		return nil, "", fmt.Errorf("cassandra: the local server does not come up: %w", err)
	}
	return cluster, "", nil
}

// cancelled ends the search when the caller gave up, so that a cancelled download
// is not taken for a way that is missing.
func cancelled(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("cassandra: start: %w", context.Cause(ctx))
	}
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
