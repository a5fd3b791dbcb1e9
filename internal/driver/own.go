package driver

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
)

// process stands for this process, among all that talk to a server.
var process = rand.Text()

// Own puts a comment behind the first word of a statement that no other session puts there, be it
// of this process or of another one. So nobody else prepares that text, and a server that knows the
// id of it describes it as it did to this session: see Statement.ColumnsKnown.
//
// All stages of a session have the same comment: texts are as many as without it.
func (s *Session) Own(cql string) string {
	hash := sha256.Sum256(fmt.Appendf(nil, "%s %p", process, s.gocql)) // an address is used again when the session is gone
	return commented(cql, "session "+hex.EncodeToString(hash[:8]))
}

// commented puts a comment behind the first word of a statement that can be prepared.
func commented(cql, comment string) string {
	start := len(cql) - len(strings.TrimLeftFunc(cql, unicode.IsSpace))
	word := start + strings.IndexFunc(cql[start:], unicode.IsSpace)
	return cql[:word] + " /* " + comment + " */" + cql[word:]
}
