// Package etl has the end-to-end tests of the examples: the built programs
// against a real Cassandra, compared with figures that plain loops compute.
package etl
