package verbs

import (
	"os"
	"runtime/debug"
)

// otherMemory is what the process takes of memory next to the rows: the program's own, the
// driver's, and the buffers of connections and files.
const otherMemory = 48 << 20

// limitMemory has the garbage collector work harder before the process takes much more than its
// budget. It is a soft limit: nothing fails at it. GOMEMLIMIT overrules it.
func limitMemory(budget int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(budget + otherMemory)
	}
}
