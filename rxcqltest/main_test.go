package rxcqltest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/leak"
	"github.com/rxcql/rxcql/rxcqltest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// plant is an implementation that is wrong in one way, so that it breaks one rule.
type plant[P any] struct {
	breaks string // the rule
	wrong  string // in which way
	place  func(t testing.TB) P
}

// finds tries a suite on plants. Each breaks its rule and no other one, and no rule
// is without a plant.
func finds[P any](t *testing.T, rules rxcqltest.Rules[P], plants []plant[P]) {
	t.Helper()
	findsBy(t, rules, plants, rules.Broken)
}

// findsInBubble is finds where each rule is tried in a bubble of testing/synctest.
func findsInBubble[P any](t *testing.T, rules rxcqltest.Rules[P], plants []plant[P]) {
	t.Helper()
	findsBy(t, rules, plants, rules.BrokenInBubble)
}

func findsBy[P any](t *testing.T, rules rxcqltest.Rules[P], plants []plant[P],
	try func(t *testing.T, place func(t testing.TB) P, hangs string) map[string]string) {
	t.Helper()
	tried := map[string]bool{}
	for _, p := range plants {
		tried[p.breaks] = true
		t.Run(p.wrong, func(t *testing.T) {
			require.Contains(t, rules.Names(), p.breaks)
			broken := try(t, p.place, p.breaks)
			require.Contains(t, broken, p.breaks)
			require.Len(t, broken, 1, "%v", broken)
			t.Log(broken[p.breaks])
		})
	}
	for _, name := range rules.Names() {
		require.True(t, tried[name], "no wrong implementation shows the rule %q", name)
	}
}
