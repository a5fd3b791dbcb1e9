package driver

var (
	// Translate is what callers see of an error of gocql.
	Translate = translate

	// Observed reports whether a session has an observer of queries.
	Observed = observed
)
