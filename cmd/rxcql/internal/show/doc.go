// Package show shows people how far a run of the command is: bars on a terminal, a plain line now
// and then elsewhere. What it shows goes to standard error, since standard output may be data.
package show
