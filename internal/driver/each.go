package driver

import (
	"context"

	"github.com/gocql/gocql"
)

const eachPage = 1000

// Each reads a small result to its end, such as one of a system table, and
// calls row for each row. The cells are reused between rows; what they refer
// to stays valid. Host is the id of the node that answered. An error of row
// ends the reading and is returned as it is.
func (s *Session) Each(ctx context.Context, st Statement, row func(host string, cells [][]byte) error) error {
	var state []byte
	for {
		p, err := s.Fetch(ctx, st, eachPage, state)
		if err != nil {
			return err
		}
		cells := make([][]byte, len(p.Columns()))
		for p.Scan(cells) {
			if err := row(p.Host(), cells); err != nil {
				return err
			}
		}
		if p.Err() != nil {
			return p.Err()
		}
		if state = p.Next(); state == nil {
			return nil
		}
	}
}

// local is a statement on tables that each node has for itself, for which the
// session's consistency may be one that they refuse.
func local(cql string, args ...any) Statement {
	one := gocql.One
	return Statement{CQL: cql, Args: args, Consistency: &one, Idempotent: true}
}
