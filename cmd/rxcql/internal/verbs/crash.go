package verbs

import "runtime/debug"

// crashApart has a panic that nothing recovers, such as one in a goroutine of the driver, end the
// process by SIGABRT: the exit code that Go has for it is that of wrong arguments, of which the
// help says that nothing was read or written. No core is dumped, since the memory has rows and
// passwords. Windows has no such signal; there the exit code stays that of Go.
func crashApart() {
	noCore()
	debug.SetTraceback("crash")
}
