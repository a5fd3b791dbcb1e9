package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// How an overload goes: a server that works, then answers Overloaded to every
// write, then works again.
const (
	overloadAfter = 5 * time.Second
	overloadFor   = 10 * time.Second
	overloadUntil = 25 * time.Second
	overloadSlot  = 250 * time.Millisecond
)

var overloadFigure = figure{
	name:  "overload",
	title: "writes around 10 s of a server that answers Overloaded",
	run: func(ctx context.Context, b *bench) (*table, error) {
		t := &table{columns: []string{"run", "rows a second before", "during", "back at 90 % after, s", "repeated", "lost"}}
		for n := range b.pairs {
			row, err := b.overload(ctx, n)
			if err != nil {
				return nil, err
			}
			t.add(row...)
		}
		t.notes = append(t.notes, "Single rows, 64 at once at most, through a proxy that answers in the server's place; \"back\" is counted from the end of the overload. "+
			"Lost is what was read and is not in the table.")
		return t, nil
	},
}

// overload writes rows for as long as it takes, and looks at how many a quarter of
// a second are written.
func (b *bench) overload(ctx context.Context, n int) ([]string, error) {
	name := fmt.Sprintf("%s.overload_%d", b.server.keyspace, n)
	if err := b.server.exec(ctx, "CREATE TABLE "+name+" (k bigint PRIMARY KEY, v bigint)"); err != nil {
		return nil, err
	}
	p, err := newOverloader(b.server.cluster.Hosts()[0])
	if err != nil {
		return nil, err
	}
	defer p.close()
	session, err := p.session()
	if err != nil {
		return nil, err
	}
	defer session.Close()
	type row struct {
		K int64 `cql:"k"`
		V int64 `cql:"v"`
	}
	p.begin()
	rows := source.Seq(func(yield func(row, error) bool) {
		for i := int64(0); time.Since(p.start) < overloadUntil && yield(row{i, i}, nil); i++ {
		}
	})
	pipeline, err := rxcql.New(rows, sink.Table[row](session, name))
	if err != nil {
		return nil, err
	}
	report, err := pipeline.Run(ctx)
	if err != nil {
		return nil, err
	}
	var stored int64
	iter := b.server.session.Query("SELECT k FROM " + name).WithContext(ctx).Iter()
	for k := int64(0); iter.Scan(&k); {
		stored++
	}
	if err := iter.Close(); err != nil {
		return nil, err
	}
	before, during, back := p.figures()
	return []string{
		strconv.Itoa(n + 1), fmt.Sprintf("%.0f", before), fmt.Sprintf("%.0f", during), back,
		strconv.FormatInt(report.Retried, 10), strconv.FormatInt(report.ReadRows-stored, 10),
	}, nil
}

// figures are the rows a second before and in the overload, and how long after it
// nine tenths of the former are reached again.
func (p *overloader) figures() (before, during float64, back string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	slot := func(d time.Duration) int { return int(d / overloadSlot) }
	rate := func(slots []int) float64 {
		sum := 0
		for _, n := range slots {
			sum += n
		}
		return float64(sum) / (time.Duration(len(slots)) * overloadSlot).Seconds()
	}
	from, to := slot(overloadAfter), slot(overloadAfter+overloadFor)
	before, during = rate(p.done[slot(2*time.Second):from]), rate(p.done[from:to])
	back = "never"
	after := p.done[to:slot(overloadUntil)]
	if i := slices.IndexFunc(after, func(n int) bool { return float64(n) >= 0.9*before*overloadSlot.Seconds() }); i >= 0 {
		back = fmt.Sprintf("%.2f", (time.Duration(i+1) * overloadSlot).Seconds())
	}
	return before, during, back
}

// session reaches the server through the proxy only.
func (p *overloader) session() (*gocql.Session, error) {
	address := p.listener.Addr().String()
	_, port, _ := strings.Cut(address, ":")
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	c := gocql.NewCluster(address)
	c.Port, c.DisableInitialHostLookup = number, true
	c.AddressTranslator = gocql.AddressTranslatorFunc(func(net.IP, int) (net.IP, int) { return net.IPv4(127, 0, 0, 1), number })
	if err := rxcql.Configure(c, ""); err != nil {
		return nil, err
	}
	return c.CreateSession()
}
