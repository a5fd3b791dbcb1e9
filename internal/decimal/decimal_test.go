package decimal_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/decimal"
	"github.com/rxcql/rxcql/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestEveryDecimalIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unscaled := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "unscaled"))
		if rapid.Bool().Draw(t, "negative") {
			unscaled.Neg(unscaled)
		}
		scale := rapid.OneOf(rapid.Int32(), rapid.Int32Range(-3, 70)).Draw(t, "scale")
		text := decimal.Append([]byte("x"), inf.NewDecBig(unscaled, inf.Scale(scale)))
		require.Less(t, len(text), 180)
		var got inf.Dec
		require.NoError(t, decimal.Parse(string(text[1:]), &got))
		require.Equal(t, inf.Scale(scale), got.Scale(), "%s", text)
		require.Zero(t, unscaled.Cmp(got.UnscaledBig()), "%s", text)
	})
}

func TestTextThatIsNoDecimalLeavesTheDecimalAsItWas(t *testing.T) {
	d := *inf.NewDec(7, 7)
	for _, text := range []string{"", "-", "+-1", "--1", "1.2.3", "1.-2", "1_0", "E5", "0x5", "1e", "1e+-5", "x", " 1", "1 ", "NaN", ".", "1e5.0"} {
		require.ErrorIs(t, decimal.Parse(text, &d), decimal.ErrSyntax, text)
	}
	for _, text := range []string{"1e2147483649", "1e-2147483648", "1e99999999999999999999", "1e-99999999999", "0.5e-2147483647", "1e-9223372036854775808"} {
		require.ErrorIs(t, decimal.Parse(text, &d), decimal.ErrScale, text)
	}
	require.Equal(t, *inf.NewDec(7, 7), d)
	for text, want := range map[string]*inf.Dec{
		"+.5E+1": inf.NewDec(5, 0), "5.": inf.NewDec(5, 0), "-0.10": inf.NewDec(-10, 2), "1e2147483648": inf.NewDec(1, math.MinInt32),
		"0.5e-2147483646": inf.NewDec(5, math.MaxInt32), "0.5e2147483649": inf.NewDec(5, math.MinInt32),
	} {
		require.NoError(t, decimal.Parse(text, &d), text)
		require.Equal(t, want.Scale(), d.Scale(), text)
		require.Zero(t, want.UnscaledBig().Cmp(d.UnscaledBig()), text)
	}
}
