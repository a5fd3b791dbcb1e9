package driver

// Translate is what callers see of an error of gocql.
var Translate = translate
