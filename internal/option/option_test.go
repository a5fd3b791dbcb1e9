package option_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/option"
)

type config struct{ sum int }

type adder interface{ add(c *config) error }

type number int

func (n number) add(c *config) error {
	if n < 0 {
		return errors.New("it is negative")
	}
	c.sum += int(n)
	return nil
}

type function func(c *config) error

func TestAllOptionsAreAppliedAndAllThatIsWrongIsReported(t *testing.T) {
	var c config
	require.NoError(t, option.Apply([]adder{number(1), number(2)}, &c, adder.add))
	require.Equal(t, 3, c.sum)
	require.NoError(t, option.Apply(nil, &c, adder.add))

	err := option.Apply([]adder{nil, number(-1), number(4)}, &c, adder.add)
	require.ErrorIs(t, err, option.ErrNil)
	require.ErrorContains(t, err, "it is negative")
	require.Equal(t, 7, c.sum, "what is good counts")
}

func TestANilFunctionIsANilOption(t *testing.T) {
	var c config
	call := func(fn function, c *config) error { return fn(c) }
	require.ErrorIs(t, option.Apply([]function{nil, number(3).add}, &c, call), option.ErrNil)
	require.Equal(t, 3, c.sum)
}
