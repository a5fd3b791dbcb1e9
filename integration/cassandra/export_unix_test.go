//go:build unix

package cassandra

var StartWatchdog = startWatchdog
