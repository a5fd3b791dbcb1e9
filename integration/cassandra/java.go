package cassandra

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// java is a Java that Cassandra 5.0 runs on.
type java struct {
	home  string // the folder above bin
	major int    // 17 or 11
}

func (j java) tool(name string) string { return filepath.Join(j.home, "bin", name) }

// javaFinder looks for a Java; its fields are the world it looks at.
type javaFinder struct {
	env      func(string) string
	glob     func(string) ([]string, error)
	lookPath func(string) (string, error)
	version  func(ctx context.Context, javaBinary string) (int, error)
}

func systemJava() javaFinder {
	return javaFinder{env: os.Getenv, glob: filepath.Glob, lookPath: realPath, version: javaVersion}
}

// find tries JAVA_HOME, then the usual folders of JDK 17 and of 11, then PATH, and
// takes the first of a version that Cassandra runs on. The error lists every Java
// that was rejected with the reason. Newer ones are refused because the daemon
// dies in them ("Setting a system-wide Policy object is not supported").
func (f javaFinder) find(ctx context.Context) (java, error) {
	var rejected []string
	var seen []string
	try := func(home, from string) (java, bool) {
		if home == "" || slices.Contains(seen, home) {
			return java{}, false
		}
		seen = append(seen, home)
		major, err := f.version(ctx, filepath.Join(home, "bin", "java"))
		switch {
		case err != nil:
			rejected = append(rejected, fmt.Sprintf("%s (%s): %v", home, from, err))
		case major != 17 && major != 11:
			rejected = append(rejected, fmt.Sprintf("%s (%s): Java %d", home, from, major))
		default:
			return java{home: home, major: major}, true
		}
		return java{}, false
	}
	if j, ok := try(f.env("JAVA_HOME"), "JAVA_HOME"); ok {
		return j, nil
	}
	for _, pattern := range jdkFolders {
		homes, err := f.glob(pattern)
		if err != nil {
			return java{}, fmt.Errorf("look for a JDK in %s: %w", pattern, err)
		}
		for _, home := range homes {
			// A folder with sources only is no JDK and not worth a word.
			if bin, err := f.glob(filepath.Join(home, "bin", "java")); err != nil || len(bin) == 0 {
				continue
			}
			if j, ok := try(home, "found"); ok {
				return j, nil
			}
		}
	}
	if path, err := f.lookPath("java"); err == nil {
		if j, ok := try(filepath.Dir(filepath.Dir(path)), "PATH"); ok {
			return j, nil
		}
	}
	if len(rejected) == 0 {
		return java{}, errors.New("no Java found in JAVA_HOME, in the usual folders or on PATH; " + javaRemedy)
	}
	return java{}, fmt.Errorf("no Java that Cassandra 5.0 runs on, rejected: %s; %s",
		strings.Join(rejected, "; "), javaRemedy)
}

const javaRemedy = "install a JDK 17 (Debian: openjdk-17-jdk-headless, macOS: openjdk@17) or set JAVA_HOME to one"

// jdkFolders is where Linux and macOS keep their JDKs; 17 before 11, since 5.0
// recommends it.
var jdkFolders = []string{
	"/usr/lib/jvm/*17*", "/Library/Java/JavaVirtualMachines/*17*/Contents/Home",
	"/opt/homebrew/opt/openjdk@17", "/usr/local/opt/openjdk@17",
	"/usr/lib/jvm/*11*", "/Library/Java/JavaVirtualMachines/*11*/Contents/Home",
	"/opt/homebrew/opt/openjdk@11", "/usr/local/opt/openjdk@11",
}

// realPath is exec.LookPath with links followed, because the java on PATH is most
// often a link and its real folder tells the JDK's home.
func realPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

var javaVersionText = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// javaVersion asks a java binary for its major version: 8, 11, 17, 25.
func javaVersion(ctx context.Context, binary string) (int, error) {
	out, err := exec.CommandContext(ctx, binary, "-version").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("does not run: %w", err)
	}
	m := javaVersionText.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("unknown version text %q", strings.TrimSpace(string(out)))
	}
	return strconv.Atoi(string(m[1]))
}
