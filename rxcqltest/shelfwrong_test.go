package rxcqltest_test

// What sinks that are wrong are made of.

func (s *shelf) empty() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = nil
}

// arrive puts what is late on the shelf, even if that fails for others.
func (w *shelfWriter) arrive() error {
	w.place.mu.Lock()
	defer w.place.mu.Unlock()
	for _, b := range w.late {
		w.place.rows = append(w.place.rows, b.rows...)
	}
	w.late = nil
	return nil
}

// arriveAll is arrive when all that was written is late.
func (w *shelfWriter) arriveAll() error {
	if len(w.batch.rows) > 0 {
		if err := w.send(w.ctx); err != nil {
			return err
		}
	}
	return w.whenIdle(w.arrive)
}

// whenIdle calls fn when nothing that was handed over is being worked on.
func (w *shelfWriter) whenIdle(fn func() error) error {
	end := w.newBatch()
	end.flushed = make(chan struct{})
	select {
	case w.jobs <- end:
		<-end.flushed
	case <-w.gone:
	}
	return fn()
}

// failAs fails the run as a sink that is right does.
func (w *shelfWriter) failAs(err error) {
	w.failed = nil
	w.fail(err)
}
