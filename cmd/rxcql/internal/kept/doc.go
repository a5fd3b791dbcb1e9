// Package kept has what a run of the command leaves for the next one: how far the job of each table
// is, what became of it, and what it worked on.
//
// For a table there is a record, <table>.job.json, next to the positions of the job (the
// checkpoint, or the folder of a diff). It is written before the job begins, gets the outcome when
// the job is complete, and is removed with the positions once a whole run has come to its end. So
// what lies there is always of a run that was interrupted, or of which a table failed.
//
// What it says counts only for the job, the clusters, the tables and the files that it was made
// with. Something else is either refused, or the table is begun anew: never is a table called done
// whose rows may have gone since.
package kept
