//go:build !unix

package verbs

func noCore() {}
