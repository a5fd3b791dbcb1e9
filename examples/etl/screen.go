package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"golang.org/x/term"

	"github.com/rxcql/rxcql"
)

// screen is what a user sees while the job runs: a bar on a terminal, a plain
// line now and then elsewhere, nothing if quiet.
type screen struct {
	out      io.Writer
	quiet    bool
	terminal bool
	fd       int // of the terminal

	mu   sync.Mutex
	bars *mpb.Progress // the bar that is shown, nil if none
}

func newScreen(out io.Writer, quiet bool) *screen {
	s := &screen{out: out, quiet: quiet}
	if f, ok := out.(*os.File); ok {
		s.fd = int(f.Fd())
		s.terminal = term.IsTerminal(s.fd)
	}
	return s
}

// printf prints a line, above the bar if one is shown.
func (s *screen) printf(format string, args ...any) {
	if s.quiet {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.out
	if s.bars != nil {
		out = s.bars
	}
	_, _ = fmt.Fprintf(out, format, args...) // a screen that is gone must not end the job
}

// state is what a bar shows.
type state struct {
	rxcql.Estimate
	text string
}

// show shows the progress of something until the returned function is called.
func (s *screen) show(label string, now func() state) (end func()) {
	switch {
	case s.quiet:
		return func() {}
	case s.terminal:
		return s.bar(label, now)
	}
	return every(5*time.Second, func() {
		at := now()
		s.printf("%-11s %s\n", label, at)
	})
}

// String is "42 %  1,200 flights, 300/s, 3m20s left".
func (at state) String() string {
	text := fmt.Sprintf("%3d %%  %s", at.Percent(), at.text)
	if at.LeftKnown {
		text += fmt.Sprintf(", %v left", at.Left.Round(time.Second))
	}
	return text
}

// every calls fn in intervals until the returned function is called.
func every(interval time.Duration, fn func()) (end func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fn()
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		running.Wait()
	}
}

// thousands writes a number as people read it: 200,000.
func thousands(n int64) string {
	digits := fmt.Sprint(n)
	var out strings.Builder
	for i, d := range digits {
		if left := len(digits) - i; i > 0 && left%3 == 0 && digits[i-1] != '-' {
			out.WriteByte(',')
		}
		out.WriteRune(d)
	}
	return out.String()
}
