package transfer

import (
	"errors"
	"fmt"
)

// UnloadOption is an option of Unload.
type UnloadOption interface{ applyUnload(*unloadConfig) error }

// unloadConfig has the options of Unload.
type unloadConfig struct {
	config
	filesConfig
	columns     []string
	compression *Compression // nil: as the name says
	maxBytes    int64
	files       int
	overwrite   bool
}

// unloadOption is an option of Unload only.
type unloadOption func(*unloadConfig) error

func (o unloadOption) applyUnload(c *unloadConfig) error { return o(c) }

// OnlyColumns unloads these columns of the table, in this order. Names are exactly as the schema
// spells them. Default: all columns, in the order of SELECT *, or in that of CSV's dialect
// (dialect.Order).
func OnlyColumns(names ...string) UnloadOption {
	return unloadOption(func(c *unloadConfig) error {
		c.columns = append(c.columns, names...)
		if len(names) == 0 {
			return errors.New("OnlyColumns(): name at least one column")
		}
		return nil
	})
}

// Compress compresses the files. By default the end of the name says it: .gz or .zst. A name that
// says another compression is refused.
func Compress(how Compression) UnloadOption {
	return unloadOption(func(c *unloadConfig) error {
		c.compression = &how
		if how > Zstd {
			return fmt.Errorf("Compress(%d): must be NoCompression, Gzip or Zstd", how)
		}
		return nil
	})
}

// DefaultFileBytes is the most bytes of a file in a folder.
const DefaultFileBytes = 256 << 20

// DefaultFiles is how many files of a folder are written at once.
const DefaultFiles = 4

// FileBytes sets the most bytes of a file in a folder, from 4 KiB on. Default 256 MiB. See
// sink.MaxBytes.
func FileBytes(n int64) UnloadOption {
	return unloadOption(func(c *unloadConfig) error {
		c.maxBytes = n
		if n < 4<<10 {
			return fmt.Errorf("FileBytes(%d): must be at least 4096", n)
		}
		return nil
	})
}

// Files sets how many files of a folder are written at once, from 1 to 64. Default 4. With 1, rows
// are in the files in the order in which they come. See sink.Parallel.
func Files(n int) UnloadOption {
	return unloadOption(func(c *unloadConfig) error {
		c.files = n
		if n < 1 || n > 64 {
			return fmt.Errorf("Files(%d): must be from 1 to 64", n)
		}
		return nil
	})
}

// Replace lets an unload replace files that are there: the file, or all files in the folder that
// earlier unloads of a table of that name have written, also in other formats, compressed in
// another way, more of them, or not complete. Files of other shares (WithShard) of the same number
// stay. By default all of these are refused.
func Replace() UnloadOption {
	return unloadOption(func(c *unloadConfig) error {
		c.overwrite = true
		return nil
	})
}
