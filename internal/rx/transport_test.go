package rx_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/leak"
	"github.com/rxcql/rxcql/internal/rx"
)

func TestMain(m *testing.M) { leak.Main(m) }

var errTest = errors.New("broken on purpose")

// counting sends 0 to n-1, and notes how it ended and that it has.
type counting struct {
	n        int
	sent     int
	err      error
	returned bool
	last     func() error
}

func (c *counting) produce(_ context.Context, send func(int) error) error {
	defer func() { c.returned = true }()
	for i := range c.n {
		if c.err = send(i); c.err != nil {
			time.Sleep(time.Second) // it may take its time
			return c.err
		}
		c.sent++
	}
	if c.last != nil {
		return c.last()
	}
	return nil
}

// alone runs a test where a goroutine that is left behind is a failure.
func alone(t *testing.T, name string, fn func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, fn) })
}

func transport(ctx context.Context, buffer int, c *counting, receive func(int) error) error {
	return rx.Transport(ctx, buffer, c.produce, receive, nil)
}

func into(got *[]int) func(int) error {
	return func(i int) error { *got = append(*got, i); return nil }
}

func TestTransport(t *testing.T) {
	ctx := context.Background()
	alone(t, "keeps the order, whatever the buffer", func(t *testing.T) {
		for _, buffer := range []int{0, 1, 7, 1000} {
			var got []int
			c := &counting{n: 100}
			require.NoError(t, transport(ctx, buffer, c, into(&got)))
			require.Len(t, got, 100)
			require.IsIncreasing(t, got)
			require.True(t, c.returned)
		}
	})
	alone(t, "lets as many items wait as the buffer has room for", func(t *testing.T) {
		for _, buffer := range []int{0, 1, 5} {
			c := &counting{n: 100}
			first := true
			require.NoError(t, transport(ctx, buffer, c, func(int) error {
				if first {
					synctest.Wait()
					require.Equal(t, 1+buffer, c.sent)
				}
				first = false
				return nil
			}))
		}
	})
	alone(t, "returns the producer's error after what was sent before it", func(t *testing.T) {
		for _, buffer := range []int{0, 100} {
			var got []int
			c := &counting{n: 10, last: func() error { return errTest }}
			require.Equal(t, errTest, transport(ctx, buffer, c, into(&got)))
			require.Len(t, got, 10)
		}
	})
	alone(t, "returns the receiver's error, which the producer is told, once that has ended", func(t *testing.T) {
		c := &counting{n: 100}
		calls := 0
		err := transport(ctx, 3, c, func(i int) error {
			if calls++; i == 4 {
				return errTest
			}
			return nil
		})
		require.Equal(t, errTest, err)
		require.Equal(t, errTest, c.err)
		require.Equal(t, 5, calls, "nothing is received after the error")
		require.True(t, c.returned)
	})
	alone(t, "prefers the receiver's error to the one that follows from it", func(t *testing.T) {
		c := &counting{n: 0, last: func() error { return errors.New("later") }}
		c.n = 1
		require.Equal(t, errTest, transport(ctx, 0, c, func(int) error { return errTest }))
	})
	alone(t, "makes an error of the producer's panic", func(t *testing.T) {
		c := &counting{n: 3, last: func() error { panic(errTest) }}
		var got []int
		err := transport(ctx, 0, c, into(&got))
		var panicked *rx.PanicError
		require.True(t, errors.As(err, &panicked))
		require.ErrorIs(t, err, errTest)
		require.Contains(t, string(panicked.Stack), "transport_test.go")
		require.ErrorContains(t, err, "panic: broken on purpose")
		require.Len(t, got, 3)
	})
	alone(t, "does not take an exit of the producer's goroutine for the end", func(t *testing.T) {
		c := &counting{n: 3, last: func() error { runtime.Goexit(); return nil }}
		require.ErrorIs(t, transport(ctx, 0, c, func(int) error { return nil }), rx.ErrExited)
	})
	alone(t, "lets the receiver's panic go on when the producer has ended", func(t *testing.T) {
		c := &counting{n: 100}
		require.PanicsWithValue(t, 42, func() {
			_ = transport(ctx, 0, c, func(int) error { panic(42) })
		})
		require.True(t, c.returned)
		require.ErrorIs(t, c.err, context.Canceled)
	})
	alone(t, "waits for the producer also when the receiver's goroutine exits", func(t *testing.T) {
		c := &counting{n: 100}
		done := make(chan bool)
		go func() {
			defer func() { done <- c.returned }()
			_ = transport(ctx, 0, c, func(int) error { runtime.Goexit(); return nil })
		}()
		require.True(t, <-done)
	})
	alone(t, "gives the producer the cause of a cancel", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		c := &counting{n: 100}
		err := transport(ctx, 0, c, func(i int) error {
			if i == 10 {
				cancel(errTest)
			}
			return nil
		})
		require.Equal(t, errTest, err)
		require.True(t, c.returned)
		require.Equal(t, errTest, transport(ctx, 0, &counting{n: 100}, func(int) error { return nil }))
	})
	alone(t, "ends when its context does, while nothing is sent", func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(ctx, time.Second, errTest)
		defer cancel()
		err := rx.Transport(ctx, 0, func(ctx context.Context, _ func(int) error) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}, func(int) error { return nil }, nil)
		require.Equal(t, errTest, err)
	})
	alone(t, "carries items that are errors or nil", func(t *testing.T) {
		var got []error
		err := rx.Transport(ctx, 0, func(_ context.Context, send func(error) error) error {
			return errors.Join(send(errTest), send(nil), send(errTest))
		}, func(err error) error { got = append(got, err); return nil }, nil)
		require.NoError(t, err)
		require.Equal(t, []error{errTest, nil, errTest}, got)
	})
}
