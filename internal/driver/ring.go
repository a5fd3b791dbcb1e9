package driver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gocql/gocql"
)

// Ring is what the cluster says of itself.
type Ring struct {
	Partitioner    string  // class name, such as org.apache.cassandra.dht.Murmur3Partitioner
	Tokens         []int64 // of all nodes, in no order; empty unless Murmur3 reports true
	Hosts          int     // nodes that gave tokens
	ReleaseVersion string  // of the node that answered, such as 5.0.6
	Cluster        string
	DC             string // the datacenter of the node that answered
}

// Murmur3 reports whether the tokens are those of package ring. Any other
// partitioner has tokens of another kind.
func (r Ring) Murmur3() bool { return strings.HasSuffix(r.Partitioner, "Murmur3Partitioner") }

// maxRingReads bounds how often the peers are asked for.
const maxRingReads = 8

// Ring reads the tokens of all nodes from system.local and the peers table.
// Both are views of the node that answers, which is another one each time:
// peers leaves that node out. So they are read until every node that answered
// for peers has been heard of from another, which is one read of each in a
// cluster of one and three or so in others.
func (s *Session) Ring(ctx context.Context) (Ring, error) {
	var ring Ring
	tokens := make(map[string][]string) // by host id
	err := s.Each(ctx, local("SELECT partitioner, release_version, cluster_name, data_center, host_id, tokens FROM system.local"),
		func(_ string, cells [][]byte) (err error) {
			ring.Partitioner, ring.ReleaseVersion = string(cells[0]), string(cells[1])
			ring.Cluster, ring.DC = string(cells[2]), string(cells[3])
			tokens[string(cells[4])], err = Texts(cells[5])
			return err
		})
	if err != nil {
		return Ring{}, fmt.Errorf("reading the ring: %w", err)
	}
	for table, reads := "system.peers_v2", 0; ; reads++ {
		answered, err := s.peers(ctx, table, tokens)
		if Classify(err) == Invalid && table == "system.peers_v2" { // before Cassandra 4, and ScyllaDB
			table = "system.peers"
			answered, err = s.peers(ctx, table, tokens)
		}
		if err != nil {
			return Ring{}, fmt.Errorf("reading the ring: %w", err)
		}
		if _, known := tokens[answered]; known || reads == maxRingReads {
			break
		}
	}
	return ring.with(tokens)
}

// peersPage holds the peers of any cluster. They must come in one page: the
// next one would be another node's.
const peersPage = 50_000

// peers adds what one node says of the others, and returns that node's id.
func (s *Session) peers(ctx context.Context, table string, tokens map[string][]string) (string, error) {
	p, err := s.Fetch(ctx, local("SELECT host_id, tokens FROM "+table), peersPage, nil)
	if err != nil {
		return "", err
	}
	cells := make([][]byte, 2)
	for p.Scan(cells) {
		texts, err := Texts(cells[1])
		if err != nil {
			return "", err
		}
		if len(texts) > 0 && cells[0] != nil { // a node that is just joining or leaving has none
			tokens[string(cells[0])] = texts
		}
	}
	return hostKey(p.Host()), p.Err()
}

// hostKey turns a host id in text into the 16 bytes that the tables have.
func hostKey(id string) string {
	uuid, err := gocql.ParseUUID(id)
	if err != nil {
		return id
	}
	return string(uuid.Bytes())
}

func (r Ring) with(tokens map[string][]string) (Ring, error) {
	r.Hosts = len(tokens)
	if !r.Murmur3() {
		return r, nil
	}
	for _, texts := range tokens {
		for _, text := range texts {
			token, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return Ring{}, fmt.Errorf("reading the ring: a node's token %q is no 64-bit number", text)
			}
			r.Tokens = append(r.Tokens, token)
		}
	}
	return r, nil
}

var errTexts = errors.New("malformed list of texts")

// Texts decodes a list or a set of text, as system tables have them.
func Texts(cell []byte) ([]string, error) {
	if len(cell) == 0 {
		return nil, nil
	}
	var texts []string
	take := func() (int, bool) {
		if len(cell) < 4 {
			return 0, false
		}
		n := int(int32(binary.BigEndian.Uint32(cell)))
		cell = cell[4:]
		return n, n >= 0
	}
	count, ok := take()
	for range count {
		n, fits := take()
		if !fits || n > len(cell) {
			return nil, errTexts
		}
		texts = append(texts, string(cell[:n]))
		cell = cell[n:]
	}
	if !ok || len(cell) > 0 {
		return nil, errTexts
	}
	return texts, nil
}

// Version is the release of the node that answers, such as 5.0.6.
func (s *Session) Version(ctx context.Context) (version string, err error) {
	err = s.Each(ctx, local("SELECT release_version FROM system.local"), func(_ string, cells [][]byte) error {
		version = string(cells[0])
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("reading the server's version: %w", err)
	}
	return version, nil
}
