package driver

import (
	"context"
	"slices"

	"github.com/gocql/gocql"
)

// TakesUnset reports, as a ProtocolError, a session whose protocol has no unset
// values. A session does not tell its version, but the types in its answers do.
func (s *Session) TakesUnset(ctx context.Context) error {
	if s.version.Load() == 0 {
		about, err := s.Describe(ctx, "SELECT key FROM system.local WHERE key = ?")
		if err != nil {
			return err
		}
		s.learn(about.params)
	}
	return unsetIn(int(s.version.Load()))
}

func unsetIn(version int) error {
	if version != 0 && version < protocol {
		return &ProtocolError{version}
	}
	return nil
}

// learn notes the version of the protocol.
func (s *Session) learn(params []gocql.ColumnInfo) {
	if s.version.Load() == 0 && len(params) > 0 && params[0].TypeInfo != nil {
		s.version.Store(int32(params[0].TypeInfo.Version()))
	}
}

// unsettable refuses values that are unset where the protocol has no such thing.
func unsettable(params []gocql.ColumnInfo, args []any) error {
	if len(params) == 0 || params[0].TypeInfo.Version() >= protocol || !slices.Contains(args, any(gocql.UnsetValue)) {
		return nil
	}
	return unsetIn(int(params[0].TypeInfo.Version()))
}
