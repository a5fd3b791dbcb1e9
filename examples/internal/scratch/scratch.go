// Package scratch gives an example a Cassandra with a keyspace of its own, and removes both
// when the example has ended. It is no part of what the examples show: a program of yours
// makes a gocql.Session as examples/quickstart does.
package scratch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// Place is where an example works.
type Place struct {
	Session  *gocql.Session // in the keyspace
	Keyspace string
	Hosts    string // as CASSANDRA_HOSTS has them
	Folder   string // for files, removed with the keyspace; not of a process that joins
}

// Table is the full name of a table, for source.Table and sink.Table.
func (p *Place) Table(name string) string { return p.Keyspace + "." + name }

// Fill writes rows 0 to n-1 into a table, for an example to begin with.
func Fill[T any](ctx context.Context, p *Place, table string, n int, row func(i int) T, opts ...sink.TableOption) error {
	rows := func(yield func(T, error) bool) {
		for i := 0; i < n && yield(row(i), nil); i++ {
		}
	}
	job, err := rxcql.New(source.Seq(rows), sink.Table[T](p.Session, p.Table(table), opts...))
	if err != nil {
		return err
	}
	_, err = job.Run(ctx)
	return err
}

// Main runs an example in a new keyspace with some tables, each given as what stands behind
// CREATE TABLE. The keyspace is on the servers that CASSANDRA_HOSTS names, or on one that
// Main starts. Then Main ends the program: with exit code 0, or with 1 and the error on
// standard error. SIGINT and SIGTERM end ctx.
func Main(example func(ctx context.Context, p *Place) error, tables ...string) {
	end(func(ctx context.Context) (err error) {
		cluster, err := cassandra.Start(ctx, cassandra.Log(os.Stderr))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, cluster.Stop()) }()
		p := &Place{
			Keyspace: keyspaceOf(program(), rand.Uint32()),
			Hosts:    strings.Join(cluster.Hosts(), ","),
		}
		if p.Folder, err = os.MkdirTemp("", p.Keyspace+"-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(p.Folder)) }()
		admin, err := cluster.Config().CreateSession()
		if err != nil {
			return err
		}
		defer admin.Close()
		if err := admin.Query("CREATE KEYSPACE " + p.Keyspace +
			" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}").WithContext(ctx).Exec(); err != nil {
			return fmt.Errorf("create keyspace %s: %w", p.Keyspace, err)
		}
		defer func() { err = errors.Join(err, admin.Query("DROP KEYSPACE "+p.Keyspace).Exec()) }()
		fmt.Fprintf(os.Stderr, "keyspace %s at %s, dropped at the end\n", p.Keyspace, p.Hosts)
		return p.run(ctx, cluster, func(ctx context.Context, p *Place) error {
			for _, table := range tables {
				if err := p.Session.Query("CREATE TABLE " + table).WithContext(ctx).Exec(); err != nil {
					return fmt.Errorf("create table %s: %w", table, err)
				}
			}
			return example(ctx, p)
		})
	})
}

// Join is Main for a process that another one has started, in that one's keyspace: it needs
// CASSANDRA_HOSTS, and removes nothing.
func Join(keyspace string, example func(ctx context.Context, p *Place) error) {
	end(func(ctx context.Context) error {
		cluster, err := cassandra.Start(ctx)
		if err != nil {
			return err
		}
		p := &Place{Keyspace: keyspace, Hosts: strings.Join(cluster.Hosts(), ",")}
		return errors.Join(p.run(ctx, cluster, example), cluster.Stop())
	})
}

// run runs the example in a session of its own.
func (p *Place) run(ctx context.Context, cluster *cassandra.Cluster, example func(context.Context, *Place) error) (err error) {
	cfg := cluster.Config()
	cfg.Keyspace = p.Keyspace
	if err := rxcql.Configure(cfg, cluster.Datacenter()); err != nil {
		return err
	}
	if p.Session, err = cfg.CreateSession(); err != nil {
		return err
	}
	defer p.Session.Close()
	return example(ctx, p)
}

// end ends the program as main did.
func end(main func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := main(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", program(), err)
		os.Exit(1)
	}
}

// keyspaceOf names a keyspace after a program, whatever that has been built as: CQL takes a-z, 0-9
// and _ without quotes, and 48 characters.
func keyspaceOf(program string, number uint32) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(program))
	return fmt.Sprintf("example_%.31s_%08x", name, number)
}

// program is the name of the example.
func program() string {
	return strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
}
