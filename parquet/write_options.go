package parquet

import (
	"errors"
	"fmt"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/rxcql/rxcql/internal/option"
)

// WriteOption is an option of Write and WriteTo.
type WriteOption interface{ applyWrite(*writeConfig) error }

// DefaultRowGroupBytes is the size of a row group, as RowGroupBytes counts it.
const DefaultRowGroupBytes = 16 << 20

// writeConfig has the options of sinks.
type writeConfig struct {
	overwrite  bool
	groupBytes int64
	fileBytes  int64 // 0 for one file
	codec      compress.Codec
	types      types
}

func newWriteConfig(opts []WriteOption) (writeConfig, error) {
	cfg := writeConfig{groupBytes: DefaultRowGroupBytes, codec: &pq.Snappy}
	err := option.Apply(opts, &cfg, WriteOption.applyWrite)
	return cfg, err
}

type overwrite struct{}

// Overwrite lets Write replace a file that is there already or, with MaxFileBytes, all files of the
// same name with a number. One file is replaced at once, when the new one is complete. Numbered
// files are removed when the first row comes, or at the end of a run without rows; in a job with a
// checkpoint, when reading begins. When a job goes on, Overwrite changes nothing.
func Overwrite() WriteOption { return overwrite{} }

func (overwrite) applyWrite(c *writeConfig) error {
	c.overwrite = true
	return nil
}

type rowGroupBytes int64

// RowGroupBytes sets how large a row group is: how many bytes of values, as Cassandra sends them,
// it has. It ends with the row that reaches them. The default is 16 MiB; from 64 KiB to 1 GiB. A
// row group is kept in memory, compressed, until it is complete. Readers read row groups in
// parallel, and one value of each column at a time.
func RowGroupBytes(n int64) WriteOption { return rowGroupBytes(n) }

func (n rowGroupBytes) applyWrite(c *writeConfig) error {
	if n < 64<<10 || n > 1<<30 {
		return fmt.Errorf("RowGroupBytes(%d): must be from 65536 to 1073741824", int64(n))
	}
	c.groupBytes = int64(n)
	return nil
}

type maxFileBytes int64

// LeastFileBytes is the least that MaxFileBytes may be given.
const LeastFileBytes = 64 << 10

// MaxFileBytes writes several files, with a number in their names, from 1. It stands where the last
// part of the path has %d, or %05d for five digits at least. Without either it stands before the
// last dot, in five digits: flights-00001.parquet, flights-00002.parquet and so on. A file ends
// with the row group that reaches so many bytes on disk, so it may be larger by a row group, which
// is made smaller where these are fewer bytes. Read reads them again by the pattern
// flights-*.parquet.
//
// In a job with a checkpoint it is needed, and there a file ends at each save too: see Write.
func MaxFileBytes(n int64) WriteOption { return maxFileBytes(n) }

func (n maxFileBytes) applyWrite(c *writeConfig) error {
	if n < LeastFileBytes {
		return fmt.Errorf("MaxFileBytes(%d): must be at least %d", int64(n), LeastFileBytes)
	}
	c.fileBytes = int64(n)
	return nil
}

// Codec compresses the pages of a file. It is a WriteOption. The default is Snappy.
type Codec string

// The codecs. Snappy is fast, needs least memory, and is read by everything that reads Parquet;
// Zstd makes smaller files.
const (
	Snappy       Codec = "snappy"
	Zstd         Codec = "zstd"
	Gzip         Codec = "gzip"
	Uncompressed Codec = "uncompressed"
)

func (c Codec) applyWrite(cfg *writeConfig) error {
	known := map[Codec]compress.Codec{Snappy: &pq.Snappy, Zstd: &pq.Zstd, Gzip: &pq.Gzip, Uncompressed: &pq.Uncompressed}
	if known[c] == nil {
		return fmt.Errorf("Codec %q: must be one of Snappy, Zstd, Gzip and Uncompressed", string(c))
	}
	cfg.codec = known[c]
	return nil
}

// errNoPath: a sink has nowhere to write.
var errNoPath = errors.New("the path is empty")
