package connect_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/connect"
)

func TestAValueOfACqlshrcIsTakenAsItIs(t *testing.T) {
	for _, value := range []string{
		"secret", `"quoted"`, "`backticks`", "`open", `"""`, "50%", "%(name)s", "a # b", "a ; b", "a=b:c", `back\slash\`, "two  spaces", "ä€",
	} {
		got, err := connect.ParseINI("; a comment\n[authentication]\n# another\nUserName = u\npassword = "+value+"\r\n", "authentication", "password")
		require.NoError(t, err)
		require.Equal(t, value, got)
		got, err = connect.ParseINI("[authentication]\npassword: "+value+"\n\n[other]\n", "authentication", "password")
		require.NoError(t, err)
		require.Equal(t, value, got)
	}
}

func TestAnyPasswordIsTakenAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[!-~]([ -~]{0,20}[!-~])?`).Draw(t, "value")
		got, err := connect.ParseINI("[a]\np = "+value+"\nnext = x\n", "a", "p")
		require.NoError(t, err)
		require.Equal(t, value, got)
	})
}

func TestALineInNoSectionIsToldByItsNumberAlone(t *testing.T) {
	_, err := connect.ParseINI("\nhunter2\n", "a", "p")
	require.ErrorContains(t, err, "line 2")
	require.NotContains(t, err.Error(), "hunter2")
}
