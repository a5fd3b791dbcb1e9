package operators_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// apartKey is the variable that says which of apart a process of its own is to run.
const apartKey = "RXCQL_TEST_APART"

// apart are runs that leave goroutines of rxgo behind for ever, or end the program.
var apart = map[string]func(){
	"panic": func() {
		_, _ = viaRx[int](count(10, 1), func(o rxgo.Observable) rxgo.Observable {
			return o.Map(func(context.Context, any) (any, error) { panic("in rxgo") })
		}).Count(context.Background())
	},
	"GroupBy": leftAfterFirst(func(o rxgo.Observable) rxgo.Observable { return o.GroupBy(3, byThree).FlatMap(inside) }),
	"GroupByDynamic": leftAfterFirst(func(o rxgo.Observable) rxgo.Observable {
		return o.GroupByDynamic(func(item rxgo.Item) string { return fmt.Sprint(byThree(item)) }).
			FlatMap(func(item rxgo.Item) rxgo.Observable { return item.V.(rxgo.GroupedObservable).Observable })
	}),
	"ZipFromIterable": func() {
		_, _ = viaRx[int](count(2, 1), func(o rxgo.Observable) rxgo.Observable {
			return o.ZipFromIterable(rxgo.Just(1, 2, 3, 4, 5, 6)(), func(_ context.Context, a, _ any) (any, error) { return a, nil })
		}).Count(context.Background())
	},
	"Interval": func() {
		_, _ = viaRx[int](count(5, 1), func(o rxgo.Observable) rxgo.Observable {
			return rxgo.Merge([]rxgo.Observable{o, rxgo.Interval(rxgo.WithDuration(time.Hour))}).Take(2)
		}).Count(context.Background())
	},
	"Sample": func() {
		_, _ = viaRx[int](count(2, 1), func(o rxgo.Observable) rxgo.Observable {
			return o.Sample(rxgo.Interval(rxgo.WithDuration(time.Hour)))
		}).Count(context.Background())
	},
}

// leftAfterFirst hangs in rxgo behind the first row, until the run is cancelled.
func leftAfterFirst(fn func(rxgo.Observable) rxgo.Observable) func() {
	return func() {
		why := errors.New("cancelled")
		ctx, cancel := context.WithCancelCause(context.Background())
		rows := 0
		_, err := viaRx[int](count(1<<40, 10), fn).ForEach(ctx, func(int) error {
			rows++
			time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
			return nil
		})
		fmt.Println("rows:", rows, "ended by the cancel:", errors.Is(err, why))
	}
}

// runApart runs one of apart in a process of its own, and prints which goroutines are left.
func runApart(name string) {
	apart[name]()
	fmt.Println(goleak.Find())
}

func TestWhatRxgoLeavesBehindForEver(t *testing.T) {
	for name := range apart {
		if name == "panic" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			text, err := inAProcess(t, name)
			require.NoError(t, err, text)
			require.Contains(t, text, "found unexpected goroutines")
			require.Contains(t, text, "github.com/reactivex/rxgo")
			require.NotContains(t, text, "rxcql/operators.(", "a goroutine of ours is left")
			if name == "GroupBy" || name == "GroupByDynamic" {
				require.Contains(t, text, "ended by the cancel: true", "what hangs in rxgo hangs until then")
			}
		})
	}
}

func TestAPanicInAFunctionThatRxgoCallsEndsTheProgram(t *testing.T) {
	text, err := inAProcess(t, "panic")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Contains(t, text, "panic: in rxgo")
}

func inAProcess(t *testing.T, name string) (text string, err error) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // only ends a hang
	defer cancel()
	process := exec.CommandContext(ctx, self)
	process.Env = append(os.Environ(), apartKey+"="+name)
	out, err := process.CombinedOutput()
	return string(out), err
}
