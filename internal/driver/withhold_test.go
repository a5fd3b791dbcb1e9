package driver

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// said is an error as servers send it.
type said string

func (s said) Code() int       { return 0x2200 }
func (s said) Message() string { return string(s) }
func (s said) Error() string   { return string(s) }

func TestWordsOfAServerThatQuoteABoundValueAreWithheld(t *testing.T) {
	number, long := int32(-1234567), "a Secret, that 'nobody' may know"
	for name, c := range map[string]struct {
		says string
		args []any
	}{
		"the text":               {"Could not decode JSON string: a Secret, that", []any{1, &plain{value: long}}},
		"a part of it":           {"Unrecognized token 'nobody': was expecting", []any{&plain{value: long}}},
		"in other letters":       {"unknown SECRET", []any{&Value{Bytes: []byte(long)}}},
		"bytes":                  {"value 0x00c0ffee00 is not a valid representation", []any{&plain{value: []byte{0, 0xc0, 0xff, 0xee, 0}}}},
		"bytes, encoded":         {"value 0x00c0ffee00 is not a valid representation", []any{&Value{Bytes: []byte{0, 0xc0, 0xff, 0xee, 0}}}},
		"a number":               {"-1234567 is out of range", []any{&plain{value: number}}},
		"by a pointer":           {"-1234567 is out of range", []any{&plain{value: &number}}},
		"a short number":         {"the year 7 is too early", []any{&Value{Bytes: []byte{0, 0, 0, 7}}}},
		"a long one":             {"1234567890123 is out of range", []any{&Value{Bytes: []byte{0, 0, 1, 0x1f, 0x71, 0xfb, 4, 0xcb}}}},
		"a fraction":             {"1.5625 is out of range", []any{&Value{Bytes: []byte{0x3f, 0xf9, 0, 0, 0, 0, 0, 0}}}},
		"the last of many":       {"no such 'gadget'", []any{&plain{value: 3}, nil, (*Value)(nil), &plain{}, &plain{value: "gadget"}}},
		"a part of a collection": {"no such 'gadget'", []any{&plain{value: map[string][]string{"k": {"a gadget"}}}}},
		"a date":                 {"bad year 1969", []any{&plain{value: time.Date(1969, 1, 2, 3, 4, 5, 0, time.UTC)}}},
	} {
		err := withhold(said(c.says), c.args)
		var withheld *WithheldError
		require.ErrorAs(t, err, &withheld, name)
		require.Equal(t, 0x2200, withheld.Code)
		require.NotContains(t, err.Error(), c.says, name)
		require.ErrorIs(t, err, said(c.says), name)
		require.Equal(t, Invalid, Classify(err), name)
	}
}

func TestOtherWordsOfAServerAreKept(t *testing.T) {
	value := &plain{value: "a secret"}
	for _, err := range []error{said("Key may not be empty"), said("Unconfigured table t"), errors.New("a secret"), nil} {
		require.Equal(t, err, withhold(err, []any{value, 12, nil}))
	}
	require.Equal(t, error(said("a secret")), withhold(said("a secret"), nil), "nothing was bound")
}

func TestATimeToLiveThatEndsTooLateIsSaidInOtherWords(t *testing.T) {
	const quoted = "Request on table ks.t with ttl of 630720000 seconds exceeds maximum supported expiration date of " +
		"2038-01-19T03:14:06+00:00. In order to avoid this use a lower TTL, change the expiration date overflow policy"
	ttl := &Value{Bytes: []byte{0x25, 0x98, 0x06, 0x00}}
	err := withhold(said(quoted), []any{ttl})
	require.ErrorContains(t, err, "2038-01-19")
	require.ErrorContains(t, err, "give a shorter one")
	require.NotContains(t, err.Error(), "630720000")
	require.True(t, ExpiresTooLate(err))
	require.False(t, ExpiresTooLate(withhold(said("a ttl of 630720000"), []any{ttl})))
	require.ErrorContains(t, withhold(said("a ttl of 630720000"), []any{ttl}), "withheld")
}
