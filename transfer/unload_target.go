package transfer

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// target decides what is written where, without I/O: the path is "-", a file (its name says a
// format), a pattern with a %d, or a folder.
func (c *unloadConfig) target(path, table string) (out Output, folder string, format Format, err error) {
	named, compression := c.byName(path)
	format = c.format
	if said := compression; c.compression != nil {
		if compression = *c.compression; said != NoCompression && said != compression {
			return out, "", nil, fmt.Errorf("Compress: the name %s says another compression; leave one of them out", path)
		}
	}
	out = Output{Path: path, Overwrite: c.overwrite, Compression: compression}
	numbered := strings.Contains(filepath.Base(path), "%")
	switch {
	case path == stream:
		out.Path, out.Writer = "standard output", c.stdout
		if c.stdout == nil {
			out.Writer = os.Stdout
		}
	case named == nil && !numbered && (c.format == nil || filepath.Ext(path) != c.format.Extension()):
		folder = path
	}
	if format == nil {
		format = named
	}
	if format == nil {
		format = plainCSV()
	}
	switch {
	case folder != "":
		out.Path = filepath.Join(folder, plainName(table)+c.share()+"-%05d"+format.Extension())
		if !compressesInside(format) {
			out.Path += out.Compression.Extension()
		}
		fallthrough
	case numbered && path != stream:
		out.Parallel, out.MaxBytes = cmp.Or(c.files, DefaultFiles), cmp.Or(c.maxBytes, DefaultFileBytes)
	case c.files > 0 || c.maxBytes > 0:
		err = fmt.Errorf("Files and FileBytes are for several files: give a folder as the path, or a pattern such as part-%%05d%s", format.Extension())
	}
	if path == stream && c.overwrite {
		err = fmt.Errorf("Replace: standard output has no file to replace; leave it out")
	}
	return out, folder, format, err
}

// IsFolder reports whether an Unload of a table to a path would make a folder of that name.
func IsFolder(path, table string, opts ...UnloadOption) bool {
	var c unloadConfig
	if configured("Unload", opts, &c, UnloadOption.applyUnload, fileErr(path)) != nil {
		return false
	}
	_, folder, _, err := c.target(path, table)
	return err == nil && folder != ""
}

// share is what the names of files have of WithShard, so that the processes that share a table can
// write to one folder.
func (c *unloadConfig) share() string {
	if c.of == 0 {
		return ""
	}
	return fmt.Sprintf("-%dof%d", c.shard, c.of)
}

// plainName makes a part of a file's name from the name of a table.
func plainName(table string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, table)
}
