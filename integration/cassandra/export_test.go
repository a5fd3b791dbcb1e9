package cassandra

import (
	"context"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"time"
)

// What the external tests need of the inside.

var (
	ParseHosts     = parseHosts
	JavaVersion    = javaVersion
	KeyspaceName   = keyspaceName
	UserRunRoot    = userRunRoot
	SweepRunDirs   = sweepRunDirs
	LastLines      = lastLines
	ImageInEngine  = func(ctx context.Context) (string, error) { return findImage(ctx, &settings{progress: quiet}) }
	ErrNoOptions   = func(opts ...Option) error { _, err := newSettings(opts); return err }
	RunTests       = runTests
	ServerToRun    = func(ctx context.Context) (java, string, error) { return findServer(ctx, &settings{progress: quiet}) }
	quiet          = func(string, ...any) {}
	NewTestCluster = func(end func() error) *Cluster {
		return &Cluster{way: WayProcess, hosts: []string{"127.0.0.1:9042"}, end: end}
	}
)

func (j java) Home() string { return j.home }

// FindJava runs the search in a made-up world.
func FindJava(env map[string]string, globs map[string][]string, path string, versions map[string]int) (string, int, error) {
	f := javaFinder{
		env: func(name string) string { return env[name] },
		glob: func(pattern string) ([]string, error) {
			if filepath.Base(pattern) == "java" {
				return []string{pattern}, nil
			}
			return globs[pattern], nil
		},
		lookPath: func(string) (string, error) {
			if path == "" {
				return "", exec.ErrNotFound
			}
			return path, nil
		},
		version: func(_ context.Context, binary string) (int, error) {
			if v, ok := versions[binary]; ok {
				return v, nil
			}
			return 0, exec.ErrNotFound
		},
	}
	j, err := f.find(context.Background())
	return j.home, j.major, err
}

// GetJars fills a store at dir through fetch.
func GetJars(ctx context.Context, dir string, fetch func(context.Context, string) error) (string, error) {
	return jarStore{dir: dir, fetch: fetch}.get(ctx, quiet)
}

// FreeLoopback asks for addresses of a system that is wide or not.
func FreeLoopback(n int, wide bool, listen func(string) (net.Listener, error)) (addrs []string, native, storage int, err error) {
	addrs, p, err := loopback{wide: wide, listen: listen}.free(n)
	return addrs, p.native, p.storage, err
}

// World is what a chooser asks.
type World struct {
	OS                               string
	Env                              map[string]string
	HostsErr, ImageErr, ContainerErr error
	ServerErr, ProcessErr            error
	Asked                            []string
	CancelInImage                    context.CancelFunc
}

// Choose runs the choice in a made-up world and says which way was taken.
func (w *World) Choose(ctx context.Context, opts ...Option) (Way, error) {
	s, err := newSettings(opts)
	if err != nil {
		return "", err
	}
	give := func(way Way, err error) (*Cluster, error) {
		w.Asked = append(w.Asked, string(way))
		if err != nil {
			return nil, err
		}
		return &Cluster{way: way}, nil
	}
	c := &chooser{
		settings: s, goos: w.OS, env: func(name string) string { return w.Env[name] },
		useHosts: func(context.Context, string) (*Cluster, error) { return give(WayHosts, w.HostsErr) },
		findImage: func(context.Context) (string, error) {
			w.Asked = append(w.Asked, "image")
			if w.CancelInImage != nil {
				w.CancelInImage()
			}
			return "some:image", w.ImageErr
		},
		runContainer: func(context.Context, string) (*Cluster, error) { return give(WayContainer, w.ContainerErr) },
		findServer: func(context.Context) (java, string, error) {
			w.Asked = append(w.Asked, "server")
			return java{}, "", w.ServerErr
		},
		runProcess: func(context.Context, java, string) (*Cluster, error) { return give(WayProcess, w.ProcessErr) },
	}
	cluster, err := c.start(ctx)
	if err != nil {
		return "", err
	}
	return cluster.Way(), nil
}

// StartSleep starts a process bound to this program that only sleeps.
func StartSleep(logFile string) (pid int, kill func() error, err error) {
	d, err := startDaemon(exec.Command("sleep", "1000"), logFile)
	if err != nil {
		return 0, nil, err
	}
	return d.cmd.Process.Pid, d.kill, nil
}

// NewRunDir makes a folder with a lock; release gives the lock up and leaves the
// folder, as the death of the program does.
func NewRunDir(root string) (path string, release, remove func() error, err error) {
	d, err := newRunDir(root)
	if err != nil {
		return "", nil, nil, err
	}
	return d.path, d.lock.Close, d.remove, nil
}

// ImageFiles are the configuration and the command of an image that understands
// the variables which the container way sets.
func ImageFiles(jars, dir, conf string) (yaml, logbackXML string, command []string, err error) {
	s, err := newSettings([]Option{Log(io.Discard), Setting("rpc_address", "0.0.0.0")})
	if err != nil {
		return "", "", nil, err
	}
	yaml = yamlFor(s, "rxcql", dir, "127.0.0.1", []string{"127.0.0.1"}, ports{native: 9042, storage: 7000})
	return yaml, logback, daemonArgs(java{major: 17}, s, jars, conf, dir), nil
}

// PullTimeout is how long a test that may pull has to wait.
const PullTimeout time.Duration = pullTimeout
