// Package checkpoint keeps the checkpoints of jobs (rxcql.WithCheckpoint): File
// in a file, for jobs that run on one machine, and Table in a table of
// Cassandra, for jobs that may run on any.
//
// Both let one process at a time work on a job, give back the very bytes that
// were saved last, and put nothing of them into errors. Building a store does
// no I/O; what is wrong with its arguments comes back from Lock, or from its
// method ConfigError (rxcql.ConfigChecker) before.
package checkpoint
