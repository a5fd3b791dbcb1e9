package source

// Fingerprint is the hash of bound values in a checkpoint.
var Fingerprint = fingerprint
