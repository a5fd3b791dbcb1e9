package show

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/vbauerster/cupwriter"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
)

// bars are the bars of a run: one for each table that runs now, and a line below of the whole run.
type bars struct {
	all   *mpb.Progress
	run   *mpb.Bar
	about *label
	each  map[string]*tableBar
}

// tableBar is the bar of a table.
type tableBar struct {
	bar  *mpb.Bar
	text *label
}

// label is a text next to a bar. The goroutine that draws reads it.
type label struct {
	mu   sync.Mutex
	text string
}

func (l *label) set(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = text
}

func (l *label) get(decor.Statistics) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}

// nameWidth is how wide a name is at most, and at least where there is room for that.
const nameWidth = 24

// named writes the name of a table in a third of the line, so that what is said of the table has
// its place. Of a longer name the end is left, in which names of one keyspace differ.
func named(table string) decor.DecorFunc {
	return func(s decor.Statistics) string {
		width := min(nameWidth, s.AvailableWidth/3)
		letters := []rune(table)
		if cut := len(letters) - width; cut > 0 {
			return "…" + string(letters[min(cut+1, len(letters)):])
		}
		return fmt.Sprintf("%-*s", width, table)
	}
}

// whole is how many steps a bar has.
const whole = 1000

func newBars(out io.Writer) *bars {
	console := cupwriter.New(lineStart{out}, true)
	if f, ok := out.(*os.File); ok {
		console.SetTermFd(int(f.Fd()))
	}
	b := &bars{
		all:   mpb.New(mpb.WithConsoleWriter(console), mpb.WithAutoRefresh(), mpb.WithWidth(100)),
		about: &label{}, each: map[string]*tableBar{},
	}
	b.run = b.all.New(whole, mpb.NopStyle(), mpb.BarPriority(1<<30), mpb.PrependDecorators(decor.Any(b.about.get)))
	return b
}

// update shows the tables that run now, and takes away the bars of others.
func (b *bars) update(live []fleet.Live, texts []string, run string) {
	for name, t := range b.each {
		if !slices.ContainsFunc(live, func(l fleet.Live) bool { return l.Table == name }) {
			t.bar.Abort(true)
			delete(b.each, name)
		}
	}
	for i, l := range live {
		t := b.each[l.Table]
		if t == nil {
			t = &tableBar{text: &label{}}
			t.bar = b.all.New(whole, mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"), mpb.BarWidth(24),
				mpb.PrependDecorators(decor.Any(named(l.Table))), mpb.AppendDecorators(decor.Any(t.text.get)))
			b.each[l.Table] = t
		}
		t.text.set(texts[i])
		t.bar.SetCurrent(int64(whole * min(l.Now.Estimate.Fraction, 0.999))) // a bar is taken away, not filled up
	}
	b.about.set(run)
}

// Write writes above the bars.
func (b *bars) Write(p []byte) (int, error) { return b.all.Write(p) }

func (b *bars) close() {
	for _, t := range b.each {
		t.bar.Abort(true)
	}
	b.run.Abort(true)
	b.all.Wait()
}

// lineStart begins what it writes at the start of the line: the ^C that a terminal shows for Ctrl-C
// leaves the cursor two columns on.
type lineStart struct{ out io.Writer }

func (l lineStart) Write(p []byte) (int, error) {
	n, err := l.out.Write(append([]byte{'\r'}, p...))
	return max(0, n-1), err
}
