package cassandra

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/rxcql/rxcql/internal/leak"
)

// Main is the body of a test package's TestMain. It starts one cluster for the
// package and puts it into *cluster, runs the tests, stops the cluster, checks that
// no goroutine is left, and exits with the code.
//
// If no Cassandra is available the package fails with a message that says what is missing, and the
// remedy. Progress goes to standard error unless Log or Logger say otherwise. With -test.list
// nothing is started.
func Main(m *testing.M, cluster **Cluster, opts ...Option) {
	if !flag.Parsed() {
		flag.Parse()
	}
	if list := flag.Lookup("test.list"); list != nil && list.Value.String() != "" {
		os.Exit(m.Run())
	}
	os.Exit(runTests(m.Run, cluster, os.Stderr, append([]Option{Log(os.Stderr)}, opts...), Start))
}

// runTests is Main without the process around it.
func runTests(run func() int, cluster **Cluster, out io.Writer, opts []Option,
	start func(context.Context, ...Option) (*Cluster, error),
) int {
	c, err := start(context.Background(), opts...)
	if err != nil {
		fmt.Fprintf(out, "FAIL: these tests need a Cassandra and none is available\n%v\n", err)
		return 1
	}
	*cluster = c
	code := run()
	if err := c.Stop(); err != nil {
		fmt.Fprintf(out, "FAIL: %v\n", err)
		code = max(code, 1)
	}
	// A failed test may well have left goroutines; its own message matters more.
	if code != 0 {
		return code
	}
	s, err := newSettings(opts)
	if err != nil {
		fmt.Fprintf(out, "FAIL: %v\n", err)
		return 1
	}
	leaks := append(s.leaks, driverLeaks...)
	if c.Way() == WayContainer {
		leaks = append(leaks, containerLeaks...)
	}
	if err := leak.Find(leaks...); err != nil {
		fmt.Fprintf(out, "FAIL: goroutines are left after the tests: %v\n", err)
		return 1
	}
	return 0
}

// driverLeaks are goroutines of the driver that outlive the session: on news of a
// node or a schema it sleeps, or waits up to a minute for nodes to agree on the
// schema, and a session that is closed does not wake it.
var driverLeaks = []goleak.Option{
	goleak.IgnoreAnyFunction("github.com/gocql/gocql.(*Session).handleNodeEvent"),
	goleak.IgnoreAnyFunction("github.com/gocql/gocql.(*Session).handleSchemaEvent"),
}
