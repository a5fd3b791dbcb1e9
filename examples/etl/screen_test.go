package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

func TestNumbersAreWrittenAsPeopleReadThem(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 200000: "200,000", 3000000: "3,000,000", -1234: "-1,234", -123: "-123",
	} {
		require.Equal(t, want, thousands(n))
	}
}

func TestAStateReadsWell(t *testing.T) {
	require.Equal(t, "  0 %  no flights", state{text: "no flights"}.String())
	half := rxcql.Estimate{Known: true, Fraction: 0.508, LeftKnown: true, Left: 90*time.Second + time.Millisecond}
	require.Equal(t, " 50 %  9 flights, 1m30s left", state{half, "9 flights"}.String())
}

func TestAQuietScreenShowsNothing(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, true)
	end := s.show("Loading", func() state { panic("not asked") })
	s.printf("a line\n")
	end()
	require.Empty(t, out.String())
}
