package driver_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

func TestErrorsOfTheDriverThatAreNothingButATextAreKnownHoweverWrapped(t *testing.T) {
	for text, class := range map[string]driver.Class{
		"gocql: heartbeat failed":                                      driver.ConnectionLost,
		"unable to read frame body: read 3/9 bytes: unexpected EOF":    driver.ConnectionLost,
		"gocql: expected 2 values send got 1":                          driver.Invalid,
		"gocql: batch statement 0 expected 2 values send got 1":        driver.Invalid,
		"gocql: unable to create session: x: authentication required":  driver.AuthFailed,
		"gocql: unable to create session: Provided username x is none": driver.AuthFailed,
	} {
		err := errors.New(text)
		for _, err := range []error{
			err, fmt.Errorf("row 3: %w", err), fmt.Errorf("a: %w", fmt.Errorf("b: %w", err)),
			errors.Join(errors.New("mine"), err), fmt.Errorf("%w, then %w", errors.New("mine"), err),
		} {
			require.Equal(t, class, driver.Classify(err), "%v", err)
			require.Equal(t, class != driver.Invalid, driver.Infrastructure(err), "%v", err)
		}
		for _, err := range []error{
			errors.New("device 2: " + text), fmt.Errorf("%s: %w", text, errors.New("mine")), errors.Join(errors.New("x: " + text)),
		} {
			require.Equal(t, driver.Other, driver.Classify(err), "%v", err)
			require.False(t, driver.Infrastructure(err), "%v", err)
		}
		require.False(t, driver.Infrastructure(fmt.Errorf("%s: %w", text, io.EOF)), "a parser's end")
	}
}
