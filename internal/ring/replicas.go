package ring

import (
	"encoding/binary"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Node is one node of a cluster, with its place and its tokens.
type Node struct {
	DC, Rack string
	Tokens   []int64
}

// Sets tells which tokens live on the same nodes: each set of replicas has a
// number, from 0. It does not change.
type Sets struct {
	ends []int64 // of the ranges between the nodes' tokens, in ring order
	sets []int32 // by range
	n    int
}

// NewSets finds the sets of a keyspace from its replication, as system_schema.keyspaces has it,
// with its class. It knows Cassandra's SimpleStrategy, NetworkTopologyStrategy (with its racks) and
// EverywhereStrategy. Of any other strategy it assumes only that the tokens between two nodes'
// tokens live on the same nodes: each such range is then a set by itself.
//
// The sets are as good as what they are made from: with nodes or a replication out of date, two
// tokens of one set may live on different nodes.
func NewSets(nodes []Node, replication map[string]string) *Sets {
	r := newPlaces(nodes)
	s := &Sets{sets: make([]int32, len(r.owners))}
	numbers := map[string]int32{}
	walk := r.strategy(replication)
	for i, owner := range r.owners {
		s.ends = append(s.ends, owner.token)
		key := strconv.Itoa(i)
		if walk != nil {
			key = keyOf(walk(i))
		}
		number, known := numbers[key]
		if !known {
			number = int32(len(numbers))
			numbers[key] = number
		}
		s.sets[i] = number
	}
	s.n = max(len(numbers), 1)
	return s
}

// Len is the number of sets, 1 at least.
func (s *Sets) Len() int { return s.n }

// Of is the set on which a token lives.
func (s *Sets) Of(token int64) int {
	if s.n == 1 {
		return 0
	}
	i, _ := slices.BinarySearch(s.ends, token) // a range ends with its node's token
	if i == len(s.ends) {
		i = 0 // the ring is closed
	}
	return int(s.sets[i])
}

// keyOf is the same for the same nodes in any order.
func keyOf(nodes []int) string {
	slices.Sort(nodes)
	var key []byte
	for _, node := range nodes {
		key = binary.BigEndian.AppendUint32(key, uint32(node))
	}
	return string(key)
}

// places are the nodes around the ring.
type places struct {
	nodes  []Node
	owners []owner           // by token
	count  map[string]int    // of nodes, by datacenter
	racks  map[string]int    // by datacenter
	seen   map[[2]string]any // racks of all datacenters
}

type owner struct {
	token int64
	node  int
}

func newPlaces(nodes []Node) *places {
	p := &places{nodes: nodes, count: map[string]int{}, racks: map[string]int{}, seen: map[[2]string]any{}}
	for i, node := range nodes {
		if len(node.Tokens) == 0 {
			continue // it is joining, or leaving
		}
		for _, token := range node.Tokens {
			p.owners = append(p.owners, owner{token, i})
		}
		p.count[node.DC]++
		if rack := [2]string{node.DC, node.Rack}; p.seen[rack] == nil {
			p.seen[rack] = true
			p.racks[node.DC]++
		}
	}
	sort.Slice(p.owners, func(i, j int) bool { return p.owners[i].token < p.owners[j].token })
	return p
}

// strategy returns the function that finds the replicas of a range, nil where the
// strategy is not known.
func (p *places) strategy(replication map[string]string) func(first int) []int {
	class := replication["class"]
	switch class[strings.LastIndexByte(class, '.')+1:] {
	case "SimpleStrategy":
		if factor, ok := factorOf(replication["replication_factor"]); ok {
			return func(first int) []int { return p.simple(first, factor) }
		}
	case "EverywhereStrategy":
		return func(int) []int { return nil }
	case "NetworkTopologyStrategy":
		factors := map[string]int{}
		for dc, text := range replication {
			if dc == "class" {
				continue
			}
			factor, ok := factorOf(text)
			if !ok {
				return nil
			}
			factors[dc] = factor
		}
		return func(first int) []int { return p.topology(first, factors) }
	}
	return nil
}

// factorOf reads a replication factor: "3", or "3/1" where one of three replicas is transient.
func factorOf(text string) (int, bool) {
	all, _, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(all)
	return n, err == nil && n >= 0
}

// simple takes the nodes that come next on the ring.
func (p *places) simple(first, factor int) (replicas []int) {
	for i := 0; i < len(p.owners) && len(replicas) < factor; i++ {
		node := p.owners[(first+i)%len(p.owners)].node
		if !slices.Contains(replicas, node) {
			replicas = append(replicas, node)
		}
	}
	return replicas
}

// topology takes, for each datacenter, the nodes that come next on the ring, but of
// each rack one before any gives a second.
func (p *places) topology(first int, factors map[string]int) (replicas []int) {
	left, repeats, open := map[string]int{}, map[string]int{}, 0
	for dc, factor := range factors {
		left[dc] = min(factor, p.count[dc])
		repeats[dc] = factor - p.racks[dc]
		open += left[dc]
	}
	met := map[[2]string]bool{}
	for i := 0; i < len(p.owners) && open > 0; i++ {
		at := p.owners[(first+i)%len(p.owners)].node
		node := p.nodes[at]
		rack := [2]string{node.DC, node.Rack}
		switch {
		case left[node.DC] == 0 || slices.Contains(replicas, at):
			continue
		case !met[rack]:
			met[rack] = true
		case repeats[node.DC] > 0:
			repeats[node.DC]--
		default:
			continue
		}
		replicas = append(replicas, at)
		left[node.DC]--
		open--
	}
	return replicas
}
