package main

import (
	"fmt"
	"io"
	"time"

	"github.com/vbauerster/cupwriter"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bar shows a bar that is gone when it ends, so that the line which says the
// result takes its place.
func (s *screen) bar(label string, now func() state) (end func()) {
	console := cupwriter.New(lineStart{s.out}, false)
	console.SetTermFd(s.fd)
	bars := mpb.New(mpb.WithConsoleWriter(console), mpb.WithWidth(100), mpb.WithRefreshRate(100*time.Millisecond))
	const whole = 1000
	bar := bars.New(whole,
		mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"),
		mpb.BarWidth(32), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(fmt.Sprintf("%-11s", label))),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			return now().String()
		})),
	)
	s.mu.Lock()
	s.bars = bars
	s.mu.Unlock()
	stop := every(100*time.Millisecond, func() {
		bar.SetCurrent(int64(whole * min(now().Fraction, 0.999))) // the bar is taken away at the end, not when it is full
	})
	return func() {
		stop()
		s.mu.Lock()
		s.bars = nil
		s.mu.Unlock()
		bar.Abort(true)
		bars.Wait()
	}
}

// lineStart begins what it writes at the start of the line: the ^C that a
// terminal shows for Ctrl-C leaves the cursor two columns on.
type lineStart struct{ out io.Writer }

func (l lineStart) Write(p []byte) (int, error) {
	n, err := l.out.Write(append([]byte{'\r'}, p...))
	return max(0, n-1), err
}
