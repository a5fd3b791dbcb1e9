package driver

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gocql/gocql"
)

// datacenter is the host policy that Configure sets if a datacenter is named. It finds out whether
// any node is in it: otherwise gocql silently goes to all others.
//
// A session shows neither its policy nor its nodes. So a question comes to the policy in the
// context of a request (placed), for which the policy then returns no node.
type datacenter struct {
	tokenAware
	name string
	met  atomic.Bool // a node in it has been heard of, or one that says nothing of its datacenter

	mu    sync.Mutex
	other map[string]struct{}
}

// tokenAware is what gocql's token-aware policy has.
type tokenAware interface {
	gocql.HostSelectionPolicy
	AddHosts(hosts []*gocql.HostInfo)
}

// inDatacenter wraps the policy that prefers a datacenter.
func inDatacenter(name string) gocql.HostSelectionPolicy {
	policy := gocql.TokenAwareHostPolicy(gocql.DCAwareRoundRobinPolicy(name))
	aware, ok := policy.(tokenAware)
	if !ok {
		return policy
	}
	return &datacenter{tokenAware: aware, name: name, other: map[string]struct{}{}}
}

func (d *datacenter) AddHost(host *gocql.HostInfo) {
	d.meet(host)
	d.tokenAware.AddHost(host)
}

func (d *datacenter) AddHosts(hosts []*gocql.HostInfo) {
	for _, host := range hosts {
		d.meet(host)
	}
	d.tokenAware.AddHosts(hosts)
}

func (d *datacenter) HostUp(host *gocql.HostInfo) {
	d.meet(host)
	d.tokenAware.HostUp(host)
}

func (d *datacenter) meet(host *gocql.HostInfo) {
	switch host.DataCenter() {
	case d.name, "": // without its own look-up of hosts the driver does not know
		d.met.Store(true)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.other[host.DataCenter()] = struct{}{}
}

func (d *datacenter) err() error {
	if d.met.Load() {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.other) == 0 {
		return nil // no node at all is another matter
	}
	return &DatacenterError{Name: d.name, Have: slices.Sorted(maps.Keys(d.other))}
}

// Pick answers questions, and else is gocql's.
func (d *datacenter) Pick(q gocql.ExecutableQuery) gocql.NextHost {
	if asked, ok := q.(interface{ Context() context.Context }); ok {
		if answer, ok := asked.Context().Value(placeKey{}).(*error); ok {
			*answer = d.err()
			return func() gocql.SelectedHost { return nil }
		}
	}
	return d.tokenAware.Pick(q)
}

type placeKey struct{}

// placed reports, without I/O, whether the session's nodes are where Configure was
// told that they are. It asks until they are: nodes may join.
func (s *Session) placed(ctx context.Context) error {
	if s.inPlace.Load() {
		return nil
	}
	var answer error
	// The context has ended, so a policy that knows no questions gives a node to which
	// nothing is sent.
	ended, end := context.WithCancel(context.WithValue(ctx, placeKey{}, &answer))
	end()
	// With a binder it has no routing key, for which gocql would ask the server.
	q := s.gocql.Bind(question, func(*gocql.QueryInfo) ([]any, error) { return nil, gocql.ErrNotFound })
	q.RetryPolicy(nil).Observer(nil).Trace(nil)
	defer q.Release()
	_ = guard(context.WithoutCancel(ctx), nil, func() error { return q.WithContext(ended).Exec() })
	if answer == nil {
		s.inPlace.Store(true)
	}
	return answer
}

// question is never sent. It is of no kind that gocql would prepare.
const question = "-- is a node in the datacenter?"
