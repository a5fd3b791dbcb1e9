// Package connect makes the sessions of the command: from flags, environment variables, files, and
// the cqlshrc that people have already.
//
// A verb has one side (hosts), or two (source and target). Each setting of a side is looked for in
// this order, and the first place that has it counts. What is on the command line comes before the
// environment, and in each of them what is said of one side comes before what is said of both:
//
//  1. the flag of the side: --target-hosts;
//  2. the cqlshrc of --target-cqlshrc;
//  3. the flag for both sides: --hosts;
//  4. the cqlshrc of --cqlshrc;
//  5. the variable of the side: RXCQL_TARGET_HOSTS;
//  6. the cqlshrc of RXCQL_TARGET_CQLSHRC;
//  7. the variable for both sides: RXCQL_HOSTS;
//  8. the cqlshrc of RXCQL_CQLSHRC;
//  9. the cqlshrc of cqlsh (~/.cassandra/cqlshrc), if no hosts and no cqlshrc are given at all;
//  10. the default.
//
// Of all files that are named one is read for a side: the first in this order.
//
// No flag takes a password, since other users of a machine can read the arguments of a process. A
// password comes from a file, from the environment, from a cqlshrc or its file of credentials, or
// is asked for on the terminal. It is never part of an error, of the log or of a report.
package connect
