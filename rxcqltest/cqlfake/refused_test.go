package cqlfake_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// failing is a test whose Fatalf ends the function that called it by a panic with the text.
type failing struct{ *testing.T }

func (failing) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// fatal returns the text with which do ended its test.
func fatal(t *testing.T, do func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	do()
	t.Fatal("the test went on")
	return ""
}

func TestASessionOfAKeyspaceThatIsNotThereNamesIt(t *testing.T) {
	server := cqlfake.New(failing{t})
	server.Keyspace("shop")
	require.Contains(t, fatal(t, func() { server.Session("shp") }),
		`there is no keyspace "shp"; make it first, by Server.Keyspace`)
}

func TestATableThatCannotBeMadeIsNamed(t *testing.T) {
	server := cqlfake.New(failing{t})
	require.Contains(t, fatal(t, func() { server.Keyspace("shop", "CREATE TABLE orders (id int PRIMARY KEY)") }),
		"CREATE TABLE CREATE TABLE orders (id int PRIMARY KEY): line 1:")
}
