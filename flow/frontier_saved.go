package flow

// What a checkpoint gave to a frontier, and what it keeps of one.

// Restored returns the frontier that an earlier run of the job has saved: every window that ends at
// or before it was durable. Zero: none.
func (f *Frontier) Restored() Watermark { return f.c.Restored }

// RestoredSession returns up to where the sessions of a key were durable when an earlier run of the
// job saved: all that end at or before it. It is Restored or later. The key is a hash, as in
// SessionEnd.
func (f *Frontier) RestoredSession(key string) Watermark {
	if end := f.c.Ends[key]; f.c.Restored.Before(end) {
		return end
	}
	return f.c.Restored
}

// RestoredSessions returns the latest of what RestoredSession returns of any key.
func (f *Frontier) RestoredSessions() Watermark {
	latest := f.c.Restored
	for _, end := range f.c.Ends {
		if latest.Before(end) {
			latest = end
		}
	}
	return latest
}

// Sessions returns of how many keys a checkpoint would have the end of a session now.
func (f *Frontier) Sessions() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(f.durable)
	return len(f.ends)
}

// Saved returns what a checkpoint keeps now: the frontier, and the ends of sessions that are not
// behind it. In a job that is not complete the frontier is never forever: files may grow until it
// goes on, and a window that they have more rows of was given as whole. So it is then the latest
// end of all windows.
func (f *Frontier) Saved(complete bool) (upTo Watermark, ends map[string]Watermark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	upTo = f.durable
	if upTo == Forever && !complete {
		upTo = f.finite
	}
	f.forget(upTo)
	ends = make(map[string]Watermark, len(f.ends))
	for key, end := range f.ends {
		ends[key] = end
	}
	return upTo, ends
}
