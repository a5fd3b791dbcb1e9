package transfer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/ddl"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// masks are columns whose masks are read instead of their values, with the functions that mask them
// (dynamic data masking, since Cassandra 5.0).
type masks map[string]string

// masked returns the masks, among columns of a table, that the session's role reads. There are none
// if the role has the permission UNMASK, or if the server has no permissions at all.
func masked(ctx context.Context, s *driver.Session, t *schema.Table, columns []string) (m masks, err error) {
	err = rxcql.Retry(ctx, driver.MayPass, func() error {
		all, err := ddl.Masks(ctx, s, t)
		maps.DeleteFunc(all, func(name, _ string) bool { return !slices.Contains(columns, name) })
		m = all
		return err
	})
	if err != nil || len(m) == 0 {
		return nil, err
	}
	base := *t
	if t.View {
		base.Name = t.BaseTable // a view has the permissions of its table
	}
	sees := false
	err = rxcql.Retry(ctx, driver.MayPass, func() error {
		sees, err = unmasks(ctx, s, &base)
		return err
	})
	if err != nil || sees {
		return nil, err
	}
	return m, nil
}

// error says what is wrong with the masks, up to the remedies that the caller adds.
func (m masks) error() error {
	return fmt.Errorf("the role has no permission UNMASK, so masks would be read instead of the values of %s: grant it (GRANT UNMASK ON TABLE)",
		strings.Join(slices.Sorted(maps.Keys(m)), ", "))
}

// notes says of each mask what is done with it in place of the values.
func (m masks) notes(done string) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		lines = append(lines, fmt.Sprintf("column %q is masked by %s, and the role has no UNMASK: its mask is %s", name, m[name], done))
	}
	return lines
}

// unmasks reports whether the session's role has the permission UNMASK on a table. It is false
// where the server does not say so.
func unmasks(ctx context.Context, s *driver.Session, t *schema.Table) (bool, error) {
	const permission = "LIST UNMASK PERMISSION ON "
	_, err := count(ctx, s, permission+t.Quoted())
	switch {
	case err == nil: // only a superuser may ask for everybody's, and has all permissions
		return true, nil
	case strings.Contains(err.Error(), "anonymous"), strings.Contains(err.Error(), "AllowAllAuthorizer"):
		return true, nil // there is no login, or there are no permissions
	case driver.MayPass(err):
		return false, err
	}
	var roles []string
	if err := each(ctx, s, "LIST ROLES", func(cells [][]byte) { roles = append(roles, string(cells[0])) }); err != nil {
		if driver.MayPass(err) {
			return false, err
		}
		return false, nil
	}
	for _, role := range roles { // its own and those that it was granted, or all; it may ask only for the former
		n, err := count(ctx, s, permission+t.Quoted()+" OF "+schema.Quote(role))
		if err != nil && driver.MayPass(err) {
			return false, err
		}
		if err == nil && n > 0 {
			return true, nil
		}
	}
	return false, nil
}

func count(ctx context.Context, s *driver.Session, cql string) (n int, err error) {
	err = each(ctx, s, cql, func([][]byte) { n++ })
	return n, err
}

// each reads the answer of a statement that binds nothing.
func each(ctx context.Context, s *driver.Session, cql string, fn func(cells [][]byte)) error {
	one := gocql.One
	return s.Each(ctx, driver.Statement{CQL: cql, Consistency: &one, Idempotent: true}, func(_ string, cells [][]byte) error {
		fn(cells)
		return nil
	})
}
