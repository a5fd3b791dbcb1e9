package cassandra_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestTheWayThatIsChosen(t *testing.T) {
	noEngine, noJava := errors.New("no engine"), errors.New("no java")
	broken := errors.New("broken")
	three := []cassandra.Option{cassandra.Nodes(3)}
	hosts := map[string]string{"CASSANDRA_HOSTS": "a"}
	force := func(way string) map[string]string { return map[string]string{"RXCQL_CASSANDRA": way} }
	tests := []struct {
		name   string
		world  cassandra.World
		opts   []cassandra.Option
		way    cassandra.Way
		errors []string // parts of the message
		asked  []string
	}{
		{name: "hosts come first", world: cassandra.World{Env: hosts}, way: "hosts", asked: []string{"hosts"}},
		{
			name: "hosts that do not answer lead nowhere else", world: cassandra.World{Env: hosts, HostsErr: broken},
			errors: []string{"broken"}, asked: []string{"hosts"},
		},
		{
			name: "hosts cannot give three nodes", world: cassandra.World{Env: hosts}, opts: three,
			errors: []string{"wants Nodes or Setting", "unset CASSANDRA_HOSTS"},
		},
		{
			name: "hosts cannot take a setting", world: cassandra.World{Env: hosts},
			opts:   []cassandra.Option{cassandra.Setting("a", "b")},
			errors: []string{"wants Nodes or Setting"},
		},
		{
			name: "hosts forced without hosts", world: cassandra.World{Env: force("hosts")},
			errors: []string{"RXCQL_CASSANDRA is hosts but CASSANDRA_HOSTS is not set"},
		},
		{
			name:   "hosts and another way forced contradict",
			world:  cassandra.World{Env: map[string]string{"CASSANDRA_HOSTS": "a", "RXCQL_CASSANDRA": "process"}},
			errors: []string{"CASSANDRA_HOSTS is set and RXCQL_CASSANDRA is process", "unset one"},
		},
		{
			name: "an unknown way", world: cassandra.World{Env: force("cloud")},
			errors: []string{`"cloud"`, "hosts, container or process"},
		},
		{name: "a container comes second", way: "container", asked: []string{"image", "container"}},
		{
			name: "a container that does not come up ends the search", world: cassandra.World{ContainerErr: broken},
			errors: []string{"some:image was found but does not come up", "RXCQL_CASSANDRA=process", "broken"},
			asked:  []string{"image", "container"},
		},
		{
			name: "without an engine a process", world: cassandra.World{ImageErr: noEngine},
			way: "process", asked: []string{"image", "server", "process"},
		},
		{name: "three nodes go past the engine", opts: three, way: "process", asked: []string{"server", "process"}},
		{
			name: "a container forced without an engine", world: cassandra.World{Env: force("container"), ImageErr: noEngine},
			errors: []string{"RXCQL_CASSANDRA is container, but no engine"}, asked: []string{"image"},
		},
		{
			name: "a container forced for what it cannot do", world: cassandra.World{Env: force("container")},
			opts: []cassandra.Option{
				cassandra.Nodes(3), cassandra.WithPassword(), cassandra.WithTLS(), cassandra.WithClientCertificates(), cassandra.Setting("a", "b"),
			},
			errors: []string{"wants Nodes(3), WithPassword, WithTLS, WithClientCertificates, Setting", "only a local process"},
		},
		{
			name: "a process forced", world: cassandra.World{Env: force("process")},
			way: "process", asked: []string{"server", "process"},
		},
		{
			name: "a process forced without Java", world: cassandra.World{Env: force("process"), ServerErr: noJava},
			errors: []string{"RXCQL_CASSANDRA is process, but no java"}, asked: []string{"server"},
		},
		{
			name: "a process that does not come up", world: cassandra.World{Env: force("process"), ProcessErr: broken},
			errors: []string{"the local server does not come up", "broken"}, asked: []string{"server", "process"},
		},
		{
			name: "nothing at all", world: cassandra.World{ImageErr: noEngine, ServerErr: noJava},
			errors: []string{"none of the ways", "hosts: CASSANDRA_HOSTS is not set", "container: no engine", "process: no java"},
			asked:  []string{"image", "server"},
		},
		{
			name: "no process on Windows", world: cassandra.World{OS: "windows", ImageErr: noEngine},
			errors: []string{"does not run on Windows", "container: no engine"}, asked: []string{"image"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			way, err := test.world.Choose(context.Background(), test.opts...)
			if test.errors == nil {
				require.NoError(t, err)
			}
			for _, part := range test.errors {
				require.ErrorContains(t, err, part)
			}
			require.Equal(t, test.way, way)
			require.Equal(t, test.asked, test.world.Asked)
		})
	}
}

func TestCancellingTheSearchIsNotTakenForAMissingWay(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	world := cassandra.World{CancelInImage: cancel, ImageErr: errors.New("pull cut off")}
	_, err := world.Choose(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"image"}, world.Asked)
}

func TestOptionsOutOfRangeAreRefused(t *testing.T) {
	require.ErrorContains(t, cassandra.ErrNoOptions(cassandra.Nodes(2)), "only 1 and 3")
	require.ErrorContains(t, cassandra.ErrNoOptions(cassandra.Heap(64)), "less than 128 MB")
	require.NoError(t, cassandra.ErrNoOptions(cassandra.Nodes(3), cassandra.Heap(300)))
}
