package rollup_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// browsers are the names of Chromium and of what is made from it, and places where they are not in
// the PATH.
var browsers = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless-shell", "microsoft-edge",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
}

// tab is a tab of a headless browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// browse opens a tab. The browser ends with the test.
func browse(t *testing.T) tab {
	t.Helper()
	path := os.Getenv("RXCQL_CHROMIUM")
	for _, name := range browsers {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	require.NotEmpty(t, path, "this test needs Chromium or Chrome: install one (Debian: apt-get install chromium), or name it in RXCQL_CHROMIUM")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()))
	if os.Getuid() == 0 { // Chromium has no sandbox for root
		options = append(options, chromedp.NoSandbox)
	}
	limit, cancelLimit := context.WithTimeout(context.Background(), patience)
	allocator, cancelAllocator := chromedp.NewExecAllocator(limit, options...)
	ctx, cancelTab := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		require.NoError(t, chromedp.Cancel(ctx)) // waits until the browser has ended
		cancelTab()
		cancelAllocator()
		cancelLimit()
	})
	return tab{t, ctx}
}

func (b tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, actions...))
}

// await waits until a condition holds in the page.
func (b tab) await(condition string) {
	b.t.Helper()
	b.do(chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(0)))
}

// ask evaluates an expression.
func (b tab) ask(expression string) string {
	b.t.Helper()
	answer, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	require.NoError(b.t, err)
	return answer
}

// scheme says whether the user prefers light or dark.
func (b tab) scheme(value string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
		})
		return err
	}))
}

// shoot takes a picture of the page, to be looked at: go test -artifacts keeps it.
func (b tab) shoot(name string) {
	b.t.Helper()
	image, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), image, 0o600))
}

// tabTo presses Tab, and requires that this leads to an element, and that users see where they are.
func (b tab) tabTo(element string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(kb.Tab))
	b.await("document.activeElement === " + element)
	require.Equal(b.t, "3px", b.ask(`getComputedStyle(document.activeElement).outlineWidth`), element)
}

const firstLine = `document.querySelector("#chart .line").getAttribute("d")`

// lines waits until so many devices have a line.
func (b tab) lines(n int) {
	b.t.Helper()
	b.await(fmt.Sprintf(`document.querySelectorAll("#chart .line").length === %d`, n))
}

func TestRollupTheChartMovesInABrowser(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace, "--demo", "--window", "1s", "--out-of-order", "500ms")
	b := browse(t)
	b.do(chromedp.EmulateViewport(1100, 800))
	b.scheme("light")
	b.do(chromedp.Navigate(s.url))
	b.lines(5)
	b.await(`document.querySelectorAll("#rows tr").length === 5 && document.getElementById("state").dataset.state === "live"`)

	// It moves: the line of the first device is another one, again and again.
	for range 3 {
		b.await(fmt.Sprintf("%s !== %q", firstLine, b.ask(firstLine)))
	}
	b.await(firstLine + `.split("L").length > 8`)
	light := b.ask(`getComputedStyle(document.body).backgroundColor`)
	b.shoot("light")

	// By keyboard alone: a device is hidden, and shown. To a window of the chart, and back.
	for device := range 5 {
		b.tabTo(fmt.Sprintf(`document.querySelectorAll("#legend button")[%d]`, device))
		b.do(chromedp.KeyEvent(" "))
		b.lines(4)
		b.do(chromedp.KeyEvent(kb.Enter))
		b.lines(5)
	}
	b.tabTo(`document.getElementById("chart")`)
	b.do(chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft))
	b.await(`/\d\d:\d\d:\d\d: .*oven -?\d/.test(document.getElementById("readout").textContent)`)
	b.do(chromedp.KeyEvent(kb.Escape))
	b.await(`document.getElementById("readout").textContent === ""`)
	b.tabTo(`document.querySelector(".scroll")`)

	b.scheme("dark")
	require.NotEqual(t, light, b.ask(`getComputedStyle(document.body).backgroundColor`))
	b.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)), chromedp.KeyEvent(kb.ArrowLeft))
	b.await(`document.querySelector("#chart .cursor")`)
	b.shoot("dark")

	b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateScale(2)))
	b.await(`document.querySelector("#chart").viewBox.baseVal.width < 360`)
	require.Equal(t, "true", b.ask(`document.documentElement.scrollWidth <= innerWidth`), "nothing is cut off on a phone")
	b.shoot("phone")

	// The name of a device is text, and nothing is loaded from elsewhere.
	name := `<img src=x onerror="document.title='hacked'">`
	s.accepted(t, reading(name, time.Now(), 20))
	b.await(`[...document.querySelectorAll("#rows th")].some((th) => th.textContent.startsWith("<img"))`)
	require.Equal(t, "Live rollups", b.ask("document.title"))
	require.Equal(t, "true", b.ask(`performance.getEntriesByType("resource").every((e) => e.name.startsWith(location.origin))`))
}

func TestRollupThePageGoesOnWhenTheServiceIsBack(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	program := build(t)
	args := []string{"--demo", "--window", "1s", "--out-of-order", "500ms", "--lease", "3s"}
	s := start(t, program, keyspace, args...)
	b := browse(t)
	b.do(chromedp.Navigate(s.url))
	b.lines(5)
	require.NoError(t, s.cmd.Process.Kill())
	<-s.ended
	b.await(`document.getElementById("state").dataset.state === "lost"`)
	last := b.ask("lastID")
	start(t, program, keyspace, append(args, "--listen", strings.TrimPrefix(s.url, "http://"))...)
	b.await(`document.getElementById("state").dataset.state === "live" && Number(lastID) > ` + last)
}

// A device of which nothing comes any more, whose windows are not drawn any more, gives its line to
// another one. Nothing else does.
func TestRollupADeviceThatHasGoneMakesRoomForAnother(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace)
	b := browse(t)
	b.do(chromedp.Navigate(s.url))
	b.ask(`window.give = (device, second) => {
		const at = (s) => new Date(s * 1000).toISOString();
		take({ device, since: at(second - 1), until: at(second), mean: 1, min: 0, max: 2, readings: 3 });
	}`)
	names := func() string {
		return b.ask(`[...document.querySelectorAll("#legend button")].map((e) => e.textContent).join()`)
	}
	b.ask(`[0, 1, 2, 3, 4, 5, 6, 7].forEach((d) => give("d" + d, 0))`)
	b.lines(8)
	b.ask(`give("other", 1)`)
	b.await(`!document.getElementById("more").hidden`)
	require.Equal(t, "d0,d1,d2,d3,d4,d5,d6,d7", names())

	b.ask(`(() => { for (let s = 1; s <= 61; s++) for (const d of [0, 1, 2, 4, 5, 6, 7]) give("d" + d, s); })()`)
	b.lines(7)
	b.ask(`give("other", 61)`)
	b.lines(8)
	b.await(`document.getElementById("more").hidden`)
	require.Equal(t, "d0,d1,d2,d4,d5,d6,d7,other", names())
	require.Equal(t, "8", b.ask(`new Set([...document.querySelectorAll("#chart .line")].map((e) => e.getAttribute("class"))).size`), "each has a colour of its own")
}

// A watcher was told that events were missing. It has caught up, and nothing comes for a while.
func TestRollupThePageSaysThatItHasCaughtUpThoughNothingComes(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace)
	b := browse(t)
	b.do(chromedp.Navigate(s.url + "/"))
	b.await(`document.getElementById("state").dataset.state === "live"`)
	b.ask(`(() => {
		window.said = [];
		new MutationObserver(() => said.push(document.getElementById("state").textContent)).observe(document.getElementById("state"), { childList: true });
		lastID = "1"; // of 1970
		listen();
	})()`)
	b.await(`said.join() === "Catching up…,Live"`)
}
