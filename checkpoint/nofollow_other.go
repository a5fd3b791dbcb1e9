//go:build !unix

package checkpoint

// noFollow does not exist here; the look at the path before has to do.
const noFollow = 0
