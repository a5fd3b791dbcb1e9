package verbs

// Plain is for tests of this folder.
func Plain(text string) string { return plain(text) }
