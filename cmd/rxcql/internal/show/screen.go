package show

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
)

// How progress is shown: the values of --progress.
const (
	Auto  = "auto" // bars on a terminal, lines elsewhere
	Bars  = "bar"
	Lines = "plain"
	None  = "none"
)

// How often progress is shown.
const (
	lineEvery = 5 * time.Second
	barEvery  = 200 * time.Millisecond
)

// View is what there is to show. Its functions may be called from any goroutine.
type View struct {
	Progress func() (live []fleet.Live, ended, all int)
	// Run says more of the whole run: requests in flight, answer times. It may be empty.
	Run func() string
}

// Screen is where progress is shown.
type Screen struct {
	out  io.Writer
	kind string

	mu    sync.Mutex
	bars  *bars // while they are shown
	speed map[string]*speed
}

// New makes a screen. kind is one of Auto, Bars, Lines and None.
func New(out io.Writer, kind string) *Screen {
	if kind == Auto {
		kind = Lines
		if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			kind = Bars
		}
	}
	return &Screen{out: out, kind: kind, speed: map[string]*speed{}}
}

// Printf prints a line, above the bars if they are shown. With None it prints nothing.
func (s *Screen) Printf(format string, args ...any) {
	if s.kind == None {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.out
	if s.bars != nil {
		out = s.bars
	}
	_, _ = fmt.Fprintf(out, format, args...) // a screen that is gone must not end the run
}

// Ended prints what became of a table while others go on. Above bars it is only printed if it needs
// someone to look at it: the report has all.
func (s *Screen) Ended(text string, well bool) {
	if s.kind == Lines || !well {
		s.Printf("%s\n", text)
	}
}

// Show shows a run while work runs, and returns when that does.
func (s *Screen) Show(ctx context.Context, view View, work func()) {
	every, show := lineEvery, s.lines
	switch s.kind {
	case None:
		work()
		return
	case Bars:
		every, show = barEvery, s.update
		b := newBars(s.out)
		s.setBars(b)
		defer func() { s.setBars(nil); b.close() }()
	}
	ctx, done := context.WithCancel(context.WithoutCancel(ctx)) // what is shown last is the end
	var group errgroup.Group
	group.Go(func() error {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				show(view)
			case <-ctx.Done():
				return nil
			}
		}
	})
	defer func() { done(); _ = group.Wait() }() // it returns no error
	work()
}

func (s *Screen) setBars(b *bars) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bars = b
}

// texts returns what to say of each table that runs now, and of the whole run.
func (s *Screen) texts(view View) (live []fleet.Live, texts []string, run string) {
	live, ended, all := view.Progress()
	for _, l := range live {
		if s.speed[l.Table] == nil {
			s.speed[l.Table] = &speed{}
		}
		rate, known := s.speed[l.Table].see(l.Now.ReadRows, l.At)
		texts = append(texts, line(l, rate, known))
	}
	if all > 1 {
		run = fmt.Sprintf("%d of %d tables", ended, all)
	}
	if more := view.Run(); more != "" {
		if run != "" {
			run += ", "
		}
		run += more
	}
	return live, texts, run
}

func (s *Screen) lines(view View) {
	live, texts, run := s.texts(view)
	for i, l := range live {
		text := l.Table + "  " + texts[i]
		if i == len(live)-1 && run != "" {
			text += "; " + run
		}
		s.Printf("%s\n", text) // at once: what ends meanwhile is printed too
	}
}

func (s *Screen) update(view View) {
	live, texts, run := s.texts(view)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bars != nil {
		s.bars.update(live, texts, run)
	}
}
