// Package cqlfake is a Cassandra of one node inside a test: it speaks protocol 4, keeps tables of
// rows, pages, and fails when it is told to.
package cqlfake
