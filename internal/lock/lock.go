// Package lock has a mutex that may be held while a function of the user's runs.
package lock

// Lock is a mutex. A goroutine that waits for it is durably blocked to testing/synctest, which one
// that waits for a sync.Mutex is not: in a bubble time would stand still, for ever, if the function
// that runs under the lock sleeps.
type Lock chan struct{}

// New returns a lock that nobody holds.
func New() Lock { return make(Lock, 1) }

// Lock waits until nobody else holds the lock.
func (l Lock) Lock() { l <- struct{}{} }

// Unlock gives the lock back. It panics if nobody holds the lock.
func (l Lock) Unlock() {
	select {
	case <-l:
	default:
		panic("rxcql: unlock of a lock that is not locked")
	}
}
