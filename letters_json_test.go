package rxcql_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// tells is a row whose error as JSON shows a value.
type tells struct{}

func (tells) MarshalJSON() ([]byte, error) { return nil, errors.New(canary) }

func TestARowThatALetterWouldNotKeepAsItIsEndsTheRun(t *testing.T) {
	type row struct {
		Text string
		F    float64
		Fn   func()
	}
	for _, bad := range []any{
		"\xff" + canary, tells{}, struct{ S string }{"a\\\xc3(" + canary}, map[string]string{"\xc0": canary}, math.NaN(), row{Text: canary},
	} {
		in := operators.Map(seq(5), func(int) (any, error) { return bad, nil })
		in = operators.Tap(in, func(any) error { return errRow })
		store := &drawer{}
		_, err := pipeline(t, in, &memory[any]{}, rxcql.WithRowErrors(rxcql.DeadLetter(store))).Run(context.Background())
		require.ErrorContains(t, err, "cannot be kept as a dead letter")
		require.ErrorIs(t, err, errRow)
		require.NotContains(t, err.Error(), canary)
		require.Empty(t, store.letters)
	}
	for _, good := range []string{"�", `\ufffd`, `\\ufffd` + "�", "<&>", "\u2028\x00"} {
		in := operators.Map(seq(1), func(int) (string, error) { return good, nil })
		in = operators.Tap(in, func(string) error { return errRow })
		store := &drawer{}
		_, err := pipeline(t, in, &memory[string]{}, rxcql.WithRowErrors(rxcql.DeadLetter(store))).Run(context.Background())
		require.NoError(t, err, "%q", good)
	}
}

func TestTextThatIsNotUTF8IsMadeSoInALetter(t *testing.T) {
	in := operators.Tap(seq(1), func(int) error { return errors.New("bad \xff\xfe byte") })
	store := &drawer{}
	_, err := in.Collect(context.Background(), rxcql.WithRowErrors(rxcql.DeadLetter(store)))
	require.NoError(t, err)
	require.Equal(t, "bad \uFFFD byte", store.letters[0].Error)
}
