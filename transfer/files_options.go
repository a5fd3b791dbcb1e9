package transfer

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// FilesOption is an option of the verbs that write or read files: Unload and Load.
type FilesOption interface {
	UnloadOption
	LoadOption
}

// filesConfig has the options that Unload and Load share.
type filesConfig struct {
	format Format // nil: by the name
	also   []Format
	stdin  io.Reader
	stdout io.Writer
}

// filesOption is an option of both.
type filesOption func(*filesConfig) error

func (o filesOption) applyUnload(c *unloadConfig) error { return o(&c.filesConfig) }
func (o filesOption) applyLoad(c *loadConfig) error     { return o(&c.filesConfig) }

// WithFormat sets the format of the files. By default the end of the name says it: .csv (the preset
// RFC4180 of package dialect), .ndjson or .jsonl, and .json, each also with .gz or .zst behind it.
// Files in a folder, and standard streams, are CSV then.
func WithFormat(f Format) FilesOption {
	return filesOption(func(c *filesConfig) error {
		c.format = f
		if f == nil {
			return errors.New("WithFormat(nil): leave the option out for the format that the name says")
		}
		return nil
	})
}

// KnownFormats lets the ends of names say more formats than those of WithFormat, such as .parquet
// (package parquetfiles). It may be given several times.
func KnownFormats(formats ...Format) FilesOption {
	return filesOption(func(c *filesConfig) error {
		if slices.Contains(formats, nil) {
			return errors.New("KnownFormats: a format is nil")
		}
		c.also = append(c.also, formats...)
		return nil
	})
}

// WithStreams sets what the path "-" means: in for Load, and out for Unload. One of them may be
// nil. Default: standard input and standard output.
func WithStreams(in io.Reader, out io.Writer) FilesOption {
	return filesOption(func(c *filesConfig) error {
		if in == nil && out == nil {
			return errors.New("WithStreams(nil, nil): give one of them")
		}
		c.stdin, c.stdout = in, out
		return nil
	})
}

// stream is the path that means a standard stream.
const stream = "-"

func fileErr(path string) error {
	if path == "" {
		return fmt.Errorf("the path is empty; %q is for standard streams", stream)
	}
	return nil
}
