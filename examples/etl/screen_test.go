package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersAreWrittenAsPeopleReadThem(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 200000: "200,000", 3000000: "3,000,000", -1234: "-1,234", -123: "-123",
	} {
		require.Equal(t, want, thousands(n))
	}
}

func TestPercentNeverLeavesItsBounds(t *testing.T) {
	require.Zero(t, state{}.percent())
	require.Zero(t, state{done: 5}.percent())
	require.EqualValues(t, 50, state{done: 1, total: 2}.percent())
	require.EqualValues(t, 100, state{done: 3, total: 2}.percent())
}

func TestAQuietScreenShowsNothing(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, true)
	end := s.show("Loading", func() state { panic("not asked") })
	s.printf("a line\n")
	end()
	require.Empty(t, out.String())
}
