package source

import (
	"errors"
	"fmt"
)

// SeqOption is an option of Seq.
type SeqOption interface{ applySeq(*memoryConfig) error }

// ChanOption is an option of Chan.
type ChanOption interface{ applyChan(*memoryConfig) error }

// memoryConfig has the options of the in-memory sources.
type memoryConfig struct {
	pageRows int
	measure  func() (done, total float64) // nil unless the iterator is measured
	buffer   *buffer                      // nil without Buffer
}

// AnyOption is an option of every source that has options.
type AnyOption interface {
	ReadOption
	SeqOption
	ChanOption
	NDJSONOption
	CSVOption
}

type measure func() (done, total int64)

// Measure says how far an iterator is, so that Progress can tell how much is left (rxcql.Estimate).
// how returns done of total, in any unit, such as bytes of a file read. It is called in the
// goroutine that reads the iterator, once for each page.
// A total of 0 or less is one that is not known yet.
func Measure(how func() (done, total int64)) SeqOption { return measure(how) }

func (m measure) applySeq(c *memoryConfig) error {
	if m == nil {
		return errors.New("Measure(nil): leave the option out if it is not known")
	}
	c.measure = func() (float64, float64) {
		done, total := m()
		if total <= 0 {
			total = -1
		}
		return float64(done), float64(total)
	}
	return nil
}

type pageRows int

// PageRows sets the most rows in a page, from 1 to 1,048,576. Default 10,000 for Query, Table,
// TablePair and Tail, 512 for the others. Pages have fewer rows if these are large.
func PageRows(n int) AnyOption { return pageRows(n) }

func (n pageRows) set(rows *int) error {
	if n < 1 || n > 1<<20 {
		return fmt.Errorf("PageRows(%d): must be from 1 to 1048576", int(n))
	}
	*rows = int(n)
	return nil
}

func (n pageRows) applySeq(c *memoryConfig) error  { return n.set(&c.pageRows) }
func (n pageRows) applyChan(c *memoryConfig) error { return n.set(&c.pageRows) }
func (n pageRows) applyQuery(c *readConfig) error  { return n.set(&c.maxRows) }
func (n pageRows) applyTable(c *readConfig) error  { return n.set(&c.maxRows) }
