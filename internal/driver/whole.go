package driver

import (
	"context"
	"errors"
	"strings"

	"github.com/gocql/gocql"
)

// FetchWhole reads all rows as one page, with paging off. The frame may be as large as
// the driver takes, so it is for statements that CannotBePaged.
func (s *Session) FetchWhole(ctx context.Context, st Statement) (*Page, error) {
	return s.fetch(ctx, st, 0, nil)
}

// CannotBePaged reports whether an error is the server's refusal to page a statement, since it
// would have to sort the rows of several partitions (ORDER BY with IN on the partition key). With
// paging off, the server takes the statement. The refusal comes when the statement is run, not
// before, and only its text distinguishes it.
func CannotBePaged(err error) bool {
	var said gocql.RequestError
	return errors.As(err, &said) && said.Code() == gocql.ErrCodeInvalid && strings.Contains(said.Message(), "Cannot page queries")
}
