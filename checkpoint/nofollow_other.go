//go:build !unix

package checkpoint

// noFollow does not exist on this system; checking the path before has to do.
const noFollow = 0
