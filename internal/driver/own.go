package driver

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/rxcql/rxcql/internal/codec"
)

// process stands for this process, among all that talk to a server.
var process = rand.Text()

// Own puts a comment behind the first word of a statement that no other session puts there, be it
// of this process or of another one. So nobody else prepares that text, and a server that knows the
// id of it describes it as it did to this session: see Statement.ColumnsKnown.
//
// All stages of a session have the same comment, so they have no more texts than without it.
func (s *Session) Own(cql string) string {
	hash := sha256.Sum256(fmt.Appendf(nil, "%s %p", process, s.gocql)) // an address is used again when the session is gone
	return commented(cql, "session "+hex.EncodeToString(hash[:8]))
}

// KeepsColumns reports whether the results of cql, which is what was described, stay those of the
// description for as long as it can be prepared. A * may come to stand for more columns, and a
// user-defined type may get fields, while requests are on their way. A tuple is one value only if
// each answer has columns of its own (metadata.flatten).
func (d *Description) KeepsColumns(cql string) bool {
	return !strings.Contains(cql, "*") && !slices.ContainsFunc(d.Results, func(c codec.Column) bool { return composed(c.Type) })
}

func composed(t *codec.Type) bool {
	return t.Kind == codec.Tuple || t.Kind == codec.UDT || slices.ContainsFunc(t.Elems, composed)
}

// commented puts a comment behind the first word of a statement that can be prepared.
func commented(cql, comment string) string {
	start := len(cql) - len(strings.TrimLeftFunc(cql, unicode.IsSpace))
	word := start + strings.IndexFunc(cql[start:], unicode.IsSpace)
	return cql[:word] + " /* " + comment + " */" + cql[word:]
}
