package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// parquetBatch is how many rows are read at a time.
const parquetBatch = 512

// openParquet reads the footer and leaves the rows to f.rows.
func (f *flightFile) openParquet(in io.ReaderAt, size int64) error {
	file, err := parquet.OpenFile(in, size, parquet.SkipBloomFilters(true))
	if err != nil {
		return &fileError{File: f.name, Err: err}
	}
	columns, err := f.parquetColumns(file.Schema())
	if err != nil {
		return err
	}
	var done atomic.Int64
	f.position = func() (int64, int64) { return done.Load(), file.NumRows() }
	f.rows = func(yield func(Flight, error) bool) {
		in := parquet.NewReader(file)
		defer func() { _ = in.Close() }() // of a reader
		rows := make([]parquet.Row, parquetBatch)
		for {
			n, readErr := in.ReadRows(rows)
			for _, row := range rows[:n] {
				flight, err := columns.flight(row)
				flight.Seq = done.Add(1)
				if err != nil {
					err.File, err.Unit, err.At = f.name, "row", flight.Seq
					yield(flight, err)
					return
				}
				if !yield(flight, nil) {
					return
				}
			}
			if errors.Is(readErr, io.EOF) {
				return
			}
			if readErr != nil {
				yield(Flight{}, &fileError{File: f.name, Unit: "row", At: done.Load() + 1, Err: readErr})
				return
			}
		}
	}
	return nil
}

// parquetColumns is where the columns are in a row, and what a date counts.
type parquetColumns struct {
	names map[int]string // by the index that values carry
	tick  time.Duration
}

// parquetColumns finds the columns and checks their types, so that no value is silently converted
// to another type.
func (f *flightFile) parquetColumns(schema *parquet.Schema) (*parquetColumns, error) {
	c := &parquetColumns{names: map[int]string{}}
	for _, name := range columnNames {
		leaf, found := schema.Lookup(name)
		if !found {
			var has []string
			for _, field := range schema.Fields() {
				has = append(has, field.Name())
			}
			return nil, &fileError{File: f.name, Err: fmt.Errorf("no column %q among %.200q; it must have %s",
				name, has, strings.Join(columnNames, ","))}
		}
		var err error
		if leaf.MaxRepetitionLevel > 0 {
			err = errors.New("it is a list; one value a row is needed")
		} else {
			err = c.fits(name, leaf.Node.Type())
		}
		if err != nil {
			return nil, &fileError{File: f.name, Column: name, Err: err}
		}
		c.names[leaf.ColumnIndex] = name
	}
	return c, nil
}

func (c *parquetColumns) fits(name string, is parquet.Type) error {
	kind := is.Kind()
	var want string
	switch name {
	case columnDate:
		if logical := is.LogicalType(); logical != nil {
			if stamp, ok := logical.Value.(*format.TimestampType); ok && stamp.Unit.Value != nil {
				c.tick = stamp.Unit.Value.Duration()
			}
		}
		if kind != parquet.Int64 || c.tick == 0 {
			want = "TIMESTAMP"
		}
	case columnDelay, columnDistance:
		if kind != parquet.Int32 && kind != parquet.Int64 {
			want = "INT32 or INT64"
		}
	default:
		if kind != parquet.ByteArray {
			want = "STRING"
		}
	}
	if want != "" {
		return fmt.Errorf("its type is %v; it must be %s", is, want)
	}
	return nil
}

func (c *parquetColumns) flight(row parquet.Row) (Flight, *fileError) {
	var flight Flight
	for _, value := range row {
		name := c.names[value.Column()]
		if name == "" {
			continue
		}
		var err error
		switch {
		case value.IsNull():
			err = errors.New("it is null")
		case name == columnDate:
			flight.Date = c.date(value.Int64())
		case name == columnDelay:
			flight.Delay, err = parquetNumber(value)
		case name == columnDistance:
			flight.Distance, err = parquetNumber(value)
		case name == columnOrigin:
			flight.Origin, err = parseAirport(string(value.ByteArray()))
		case name == columnDestination:
			flight.Destination, err = parseAirport(string(value.ByteArray()))
		}
		if err != nil {
			return flight, &fileError{Column: name, Err: err}
		}
	}
	return flight, nil
}

func (c *parquetColumns) date(n int64) time.Time {
	switch c.tick {
	case time.Millisecond:
		return time.UnixMilli(n).UTC()
	case time.Microsecond:
		return time.UnixMicro(n).UTC()
	}
	return time.Unix(0, n).UTC()
}

func parquetNumber(value parquet.Value) (int32, error) {
	n := value.Int64() // of an INT32 too
	if value.Kind() == parquet.Int32 {
		n = int64(value.Int32())
	}
	if n < math.MinInt32 || n > math.MaxInt32 {
		return 0, fmt.Errorf("%d is not a whole number of 32 bits", n)
	}
	return int32(n), nil
}
