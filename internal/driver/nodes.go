package driver

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/rxcql/rxcql/internal/ring"
)

// ErrPartitioner says that the cluster's tokens are not those of package ring.
var ErrPartitioner = errors.New("the cluster's partitioner is not Murmur3Partitioner")

// Nodes reads where the nodes of the cluster are and which tokens they have, as
// Ring does. Nodes without tokens, which are just joining or leaving, are left out.
func (s *Session) Nodes(ctx context.Context) ([]ring.Node, error) {
	nodes := make(map[string]ring.Node) // by host id
	add := func(cells [][]byte) error {
		texts, err := Texts(cells[3])
		if err != nil || len(texts) == 0 || cells[0] == nil {
			return err
		}
		node := ring.Node{DC: string(cells[1]), Rack: string(cells[2])}
		for _, text := range texts {
			token, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return fmt.Errorf("a node's token %q is not a 64-bit number", text)
			}
			node.Tokens = append(node.Tokens, token)
		}
		nodes[string(cells[0])] = node
		return nil
	}
	err := s.Each(ctx, local("SELECT host_id, data_center, rack, tokens, partitioner FROM system.local"),
		func(_ string, cells [][]byte) error {
			if !(Ring{Partitioner: string(cells[4])}).Murmur3() {
				return fmt.Errorf("%w but %s", ErrPartitioner, cells[4])
			}
			return add(cells)
		})
	known := func(id string) bool { return nodes[id].Tokens != nil }
	if err == nil {
		err = s.everyPeer(ctx, "host_id, data_center, rack, tokens", known, add)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the nodes: %w", err)
	}
	all := make([]ring.Node, 0, len(nodes))
	for _, node := range nodes {
		all = append(all, node)
	}
	return all, nil
}

// everyPeer reads the peers table until the node that answers is known, since a
// node leaves itself out of it.
func (s *Session) everyPeer(ctx context.Context, columns string, known func(id string) bool, each func(cells [][]byte) error) error {
	const maxReads = 8
	for table, reads := "system.peers_v2", 0; reads < maxReads; reads++ {
		p, err := s.Fetch(ctx, local("SELECT "+columns+" FROM "+table), peersPage, nil)
		if Classify(err) == Invalid && table == "system.peers_v2" { // before Cassandra 4, and ScyllaDB
			table = "system.peers"
			continue
		}
		if err != nil {
			return err
		}
		cells := make([][]byte, len(p.Columns()))
		for p.Scan(cells) {
			if err := each(cells); err != nil {
				return err
			}
		}
		if p.Err() != nil || p.Rows() == 0 || known(hostKey(p.Host())) {
			return p.Err()
		}
	}
	return nil
}
