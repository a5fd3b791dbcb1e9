package ring_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/ring"
)

const strategies = "org.apache.cassandra.locator."

// around is a ring of nodes with one token each, 0, 100, 200 and so on; each is
// named by its datacenter and its rack.
func around(places ...[2]string) []ring.Node {
	var nodes []ring.Node
	for i, place := range places {
		nodes = append(nodes, ring.Node{DC: place[0], Rack: place[1], Tokens: []int64{int64(100 * i)}})
	}
	return nodes
}

// numbers are the sets of the ranges that end at 0, 100, 200 and so on.
func numbers(s *ring.Sets, ranges int) (all []int) {
	for i := range ranges {
		all = append(all, s.Of(int64(100*i)))
	}
	return all
}

func TestARangeBelongsToTheTokenAtItsEndAndTheRingIsClosed(t *testing.T) {
	s := ring.NewSets(around([2]string{"d", "r"}, [2]string{"d", "r"}, [2]string{"d", "r"}),
		map[string]string{"class": strategies + "SimpleStrategy", "replication_factor": "1"})
	require.Equal(t, 3, s.Len())
	require.Equal(t, []int{0, 1, 2}, numbers(s, 3))
	for token, set := range map[int64]int{math.MinInt64: 0, -1: 0, 0: 0, 1: 1, 100: 1, 101: 2, 200: 2, 201: 0, math.MaxInt64: 0} {
		require.Equal(t, set, s.Of(token), "token %d", token)
	}
}

func TestSetsAreThoseOfTheStrategies(t *testing.T) {
	one := [2]string{"d1", "r1"}
	two := [2]string{"d1", "r2"}
	far := [2]string{"d2", "r1"}
	for name, each := range map[string]struct {
		places      [][2]string
		replication map[string]string
		sets        []int
	}{
		"as many replicas as nodes": {
			[][2]string{one, one, one}, map[string]string{"class": strategies + "SimpleStrategy", "replication_factor": "3"}, []int{0, 0, 0},
		},
		"more replicas than nodes": {
			[][2]string{one, one, one}, map[string]string{"class": strategies + "NetworkTopologyStrategy", "d1": "5"}, []int{0, 0, 0},
		},
		"two of four": {
			[][2]string{one, one, one, one}, map[string]string{"class": strategies + "SimpleStrategy", "replication_factor": "2"}, []int{0, 1, 2, 3},
		},
		"the order of the replicas does not count": { // 0+1, 1+0
			[][2]string{one, one}, map[string]string{"class": strategies + "SimpleStrategy", "replication_factor": "2"}, []int{0, 0},
		},
		"racks first": { // nodes 0+2, 1+2, 2+0, 3+0
			[][2]string{one, one, two, two}, map[string]string{"class": strategies + "NetworkTopologyStrategy", "d1": "2"}, []int{0, 1, 0, 2},
		},
		"racks in turn": { // 0+1, 1+2, 2+3, 3+0
			[][2]string{one, two, one, two}, map[string]string{"class": strategies + "NetworkTopologyStrategy", "d1": "2"}, []int{0, 1, 2, 3},
		},
		"a rack of one node": { // 0+3, 1+3, 2+3, 3+0
			[][2]string{one, one, one, two}, map[string]string{"class": strategies + "NetworkTopologyStrategy", "d1": "2"}, []int{0, 1, 2, 0},
		},
		"a datacenter without replicas": { // of node 1: the next of d1
			[][2]string{one, far, one}, map[string]string{"class": strategies + "NetworkTopologyStrategy", "d1": "1"}, []int{0, 1, 1},
		},
		"two datacenters": { // 0+1, 1+2, 2+1: node 1 is in all
			[][2]string{one, far, one}, map[string]string{"class": strategies + "NetworkTopologyStrategy", "d1": "1", "d2": "1"}, []int{0, 1, 1},
		},
		"a transient replica is a replica": {
			[][2]string{one, one, one}, map[string]string{"class": strategies + "NetworkTopologyStrategy", "d1": "3/1"}, []int{0, 0, 0},
		},
		"everywhere": {
			[][2]string{one, far, two}, map[string]string{"class": strategies + "EverywhereStrategy"}, []int{0, 0, 0},
		},
		"a strategy of someone's own": {
			[][2]string{one, one, one}, map[string]string{"class": "com.example.Strategy"}, []int{0, 1, 2},
		},
		"a factor that is none": {
			[][2]string{one, one, one}, map[string]string{"class": strategies + "NetworkTopologyStrategy", "d1": "many"}, []int{0, 1, 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := ring.NewSets(around(each.places...), each.replication)
			require.Equal(t, each.sets, numbers(s, len(each.places)))
		})
	}
}

func TestNoNodesAreOneSet(t *testing.T) {
	for _, nodes := range [][]ring.Node{nil, {{DC: "d", Rack: "r"}}} {
		s := ring.NewSets(nodes, map[string]string{"class": strategies + "SimpleStrategy", "replication_factor": "3"})
		require.Equal(t, 1, s.Len())
		require.Zero(t, s.Of(5))
	}
}

// replicasAsCassandra is NetworkTopologyStrategy.calculateNaturalReplicas, written
// down again for each token as it stands there.
func replicasAsCassandra(nodes []ring.Node, token int64, factors map[string]int) map[int]bool {
	type datacenter struct{ left, repeats int }
	dcs := map[string]*datacenter{}
	for dc, factor := range factors {
		count, racks := 0, map[string]bool{}
		for _, n := range nodes {
			if n.DC == dc {
				count++
				racks[n.Rack] = true
			}
		}
		dcs[dc] = &datacenter{min(factor, count), factor - len(racks)}
	}
	replicas, met := map[int]bool{}, map[string]bool{}
	at := token
	for range 1000 {
		owner, next := -1, int64(math.MaxInt64) // the first token at or after at
		for i, n := range nodes {
			for _, own := range n.Tokens {
				if own >= at && own <= next {
					owner, next = i, own
				}
			}
		}
		if owner < 0 {
			at = math.MinInt64
			continue
		}
		at = next + 1
		n := nodes[owner]
		dc := dcs[n.DC]
		if dc == nil || dc.left == 0 || replicas[owner] {
			continue
		}
		if rack := n.DC + "/" + n.Rack; !met[rack] {
			met[rack] = true
		} else if dc.repeats > 0 {
			dc.repeats--
		} else {
			continue
		}
		dc.left--
		replicas[owner] = true
	}
	return replicas
}

func TestTokensOfOneSetHaveTheSameReplicas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tokens := rapid.SliceOfNDistinct(rapid.Int64Range(-1000, 1000), 1, 24, rapid.ID[int64]).Draw(t, "tokens")
		nodes := make([]ring.Node, rapid.IntRange(1, min(8, len(tokens))).Draw(t, "nodes"))
		for i := range nodes {
			nodes[i].DC = rapid.SampledFrom([]string{"d1", "d2"}).Draw(t, "dc")
			nodes[i].Rack = rapid.SampledFrom([]string{"r1", "r2", "r3"}).Draw(t, "rack")
		}
		for i, token := range tokens {
			n := &nodes[i%len(nodes)]
			n.Tokens = append(n.Tokens, token)
		}
		factors := map[string]int{"d1": rapid.IntRange(0, 4).Draw(t, "d1"), "d2": rapid.IntRange(0, 4).Draw(t, "d2")}
		s := ring.NewSets(nodes, map[string]string{
			"class": strategies + "NetworkTopologyStrategy", "d1": fmt.Sprint(factors["d1"]), "d2": fmt.Sprint(factors["d2"]),
		})
		of, sets := map[int]map[int]bool{}, map[string]int{}
		for range 50 {
			token := rapid.Int64Range(-1100, 1100).Draw(t, "token")
			replicas := replicasAsCassandra(nodes, token, factors)
			set := s.Of(token)
			if of[set] == nil {
				of[set] = replicas
			}
			require.Equal(t, of[set], replicas, "token %d", token)
			name := fmt.Sprint(replicas)
			if known, found := sets[name]; found {
				require.Equal(t, known, set, "the same replicas are one set")
			}
			sets[name] = set
			require.Less(t, set, s.Len())
		}
	})
}
