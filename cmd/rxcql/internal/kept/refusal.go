package kept

import (
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
)

// refusal is an error of what an earlier run has left: the same command is refused as long as that
// is there.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func refuse(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// Refused reports whether an error says that what an earlier run has left is not for this command.
func Refused(err error) bool {
	var r refusal
	return errors.As(err, &r) || errors.Is(err, rxcql.ErrCheckpointForeign)
}
