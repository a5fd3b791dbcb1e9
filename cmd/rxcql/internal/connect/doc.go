// Package connect makes the sessions of the command: from flags, environment variables, files, and
// the cqlshrc that people have already.
//
// A verb has one side (hosts), or two (source and target). Each setting of a side is looked for in
// this order, and the first that is there counts:
//
//  1. the flag of the side: --target-hosts;
//  2. the flag for both sides: --hosts;
//  3. the variable of the side: RXCQL_TARGET_HOSTS;
//  4. the variable for both sides: RXCQL_HOSTS;
//  5. the cqlshrc of the side, if one is read;
//  6. the default.
//
// No flag takes a password, since other users of a machine can read the arguments of a process. A
// password comes from a file, from the environment, from a cqlshrc or its file of credentials, or
// is asked for on the terminal. It is never part of an error, of the log or of a report.
package connect
