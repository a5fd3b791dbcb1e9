package driver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
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

// Ring reads the tokens of all nodes from system.local and the peers table.
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
	err = s.peers(ctx, "tokens", func(id string) bool { return tokens[id] != nil }, func(id string, cell []byte) error {
		texts, err := Texts(cell)
		if len(texts) > 0 { // a node that is just joining or leaving has none
			tokens[id] = texts
		}
		return err
	})
	if err != nil {
		return Ring{}, fmt.Errorf("reading the ring: %w", err)
	}
	return ring.with(tokens)
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
				return Ring{}, fmt.Errorf("reading the ring: a node's token %q is not a 64-bit number", text)
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
