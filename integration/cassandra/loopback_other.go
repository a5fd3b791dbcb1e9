//go:build !linux

package cassandra

// wideLoopback: other systems have 127.0.0.1 unless an administrator adds more.
const wideLoopback = false
