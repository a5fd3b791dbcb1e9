// Package numbered names files that belong together by a number: part-00000.csv, part-00001.csv.
// A file has .part at the end of its name until it is complete.
package numbered

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Unfinished ends the name of a file that is not complete.
const Unfinished = ".part"

// Missing stands where a name has its number, in the name of a file which says that rows are
// missing in the others. It is no number.
const Missing = "0-unfinished"

// Pattern is a path with one place for a number.
type Pattern struct {
	folder         string
	prefix, suffix string
	width          int
}

var verb = regexp.MustCompile(`%(?:0([1-9]))?d`)

// Parse reads a path whose last element has one %d, or %0nd for numbers of at least n digits.
func Parse(path string) (Pattern, error) {
	folder, base := filepath.Split(path)
	at := verb.FindAllStringSubmatchIndex(base, -1)
	if len(at) != 1 {
		return Pattern{}, fmt.Errorf("the path %s needs one place for the number of a file in its last element, such as part-%%05d.csv", path)
	}
	p := Pattern{folder: folder, prefix: base[:at[0][0]], suffix: base[at[0][1]:]}
	if at[0][2] >= 0 {
		p.width, _ = strconv.Atoi(base[at[0][2]:at[0][3]]) // one digit
	}
	if folder == "" {
		p.folder = "."
	}
	return p, nil
}

// Base is the pattern without its folder.
func (p Pattern) Base() string {
	if p.width > 0 {
		return fmt.Sprintf("%s%%0%dd%s", p.prefix, p.width, p.suffix)
	}
	return p.prefix + "%d" + p.suffix
}

// Glob is a pattern, as filepath.Match has it, that fits all complete files; it may fit others too.
func (p Pattern) Glob() string {
	return filepath.Join(Escaped(p.folder), Escaped(p.prefix)+"[0-9]*"+Escaped(p.suffix))
}

// Named reads a path of which it is not known whether it is a pattern with a number, or one as
// filepath.Match has it. What may be both is the first of them if there are such files.
func Named(path string) (p Pattern, is bool) {
	p, err := Parse(path)
	if err != nil {
		return p, false
	}
	if !strings.ContainsAny(path, "*?[") {
		return p, true
	}
	files, _ := p.Existing() // a folder that cannot be read has none
	return p, len(files) > 0
}

// Escaped is a path as a pattern, as filepath.Match has it, that only it fits.
func Escaped(path string) string {
	var s strings.Builder
	for _, r := range path {
		if strings.ContainsRune(`*?[\`, r) {
			s.WriteByte('\\')
		}
		s.WriteRune(r)
	}
	return s.String()
}

// Folder is where the files are.
func (p Pattern) Folder() string { return p.folder }

// Name is the path of a complete file.
func (p Pattern) Name(number int) string {
	return filepath.Join(p.folder, fmt.Sprintf("%s%0*d%s", p.prefix, p.width, number, p.suffix))
}

// File is a file that is there.
type File struct {
	Path   string
	Number int
}

// Existing returns the files of the pattern that are there, complete or not, in the order of their
// numbers.
func (p Pattern) Existing() ([]File, error) {
	entries, err := os.ReadDir(p.folder)
	if err != nil {
		return nil, err
	}
	name := regexp.MustCompile(`^` + regexp.QuoteMeta(p.prefix) + `([0-9]+)` + regexp.QuoteMeta(p.suffix) + `(?:\.part)?$`)
	var files []File
	for _, e := range entries {
		found := name.FindStringSubmatch(e.Name())
		if found == nil {
			continue
		}
		n, err := strconv.Atoi(found[1])
		if err == nil && filepath.Base(p.Name(n)) == p.prefix+found[1]+p.suffix {
			files = append(files, File{filepath.Join(p.folder, e.Name()), n})
		}
	}
	slices.SortFunc(files, func(a, b File) int { return a.Number - b.Number })
	return files, nil
}

// Finish gives a file that is complete, durable and closed its final name.
func (p Pattern) Finish(number int) error {
	name := p.Name(number)
	switch _, err := os.Lstat(name); {
	case err == nil:
		return fmt.Errorf("%s: %w: something else has made it meanwhile", name, fs.ErrExist)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.Rename(name+Unfinished, name)
}

// Reopen takes the final name off a file that has it, so that it can be written on. It reports
// whether it did.
func (p Pattern) Reopen(number int) (bool, error) {
	name := p.Name(number)
	if _, err := os.Lstat(name + Unfinished); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	err := os.Rename(name, name+Unfinished)
	return err == nil, err
}
