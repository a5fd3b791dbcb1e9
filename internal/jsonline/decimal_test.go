package jsonline_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/jsonline"
)

func TestADecimalHasNoMoreDigitsInJSONThanItHas(t *testing.T) {
	for _, c := range []struct {
		unscaled int64
		scale    inf.Scale
		text     string
	}{
		{-1250, 2, `"-12.50"`}, {5, 0, `"5"`}, {5, 3, `"0.005"`}, {5, -3, `"5E3"`}, {5, math.MinInt32, `"5E2147483648"`}, {-5, math.MaxInt32, `"-5E-2147483647"`},
		{0, -1, `"0E1"`}, {0, 2, `"0.00"`},
	} {
		d := inf.NewDec(c.unscaled, c.scale)
		text, err := jsonline.AppendExact(nil, d)
		require.NoError(t, err)
		require.Equal(t, c.text, string(text))
	}
	for text, want := range map[string]*inf.Dec{
		`"1.5"`: inf.NewDec(15, 1), `1.50`: inf.NewDec(150, 2), `1E-1`: inf.NewDec(1, 1), `-2e3`: inf.NewDec(-2, -3), `"+.5E+1"`: inf.NewDec(5, 0), `1e300000000`: inf.NewDec(1, -300000000),
	} {
		var d inf.Dec
		require.NoError(t, jsonline.Read([]byte(text), &d, false), text)
		require.Equal(t, *want, d, text)
	}
	for _, text := range []string{`"1e2147483649"`, `1e-99999999999`, `"x"`, `""`, `"1.2.3"`, `"1.-2"`, `"1_0"`, `"E5"`, `"0x5"`, `"--1"`, `"1e"`, `true`, `[1]`} {
		require.ErrorIs(t, jsonline.Read([]byte(text), new(inf.Dec), false), jsonline.ErrUnfit, text)
	}
	require.Error(t, jsonline.Read([]byte(`1e300000000`), new(big.Int), false))
}
