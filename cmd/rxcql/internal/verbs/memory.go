package verbs

import (
	"os"
	"runtime/debug"
)

// otherMemory is what the process takes of memory next to the rows: the program's own, the
// driver's, and the buffers of connections and files.
const otherMemory = 48 << 20

// garbagePercent is how much garbage, in percent of what is alive, the garbage collector lets come
// together. Rows live no longer than their page, so little is alive, and with Go's 100 percent the
// collector runs most of the time: that was a third of the CPU of a copy.
const garbagePercent = 200

// limitMemory has the garbage collector run less often than in other programs, and work harder
// before the process takes much more than its budget. That is a soft limit: nothing fails at it.
// GOGC and GOMEMLIMIT overrule the two.
func limitMemory(budget int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(budget + otherMemory)
	}
}
