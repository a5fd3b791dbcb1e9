package source

import (
	"errors"
	"fmt"
)

// SeqOption is an option of Seq.
type SeqOption interface{ applySeq(*memoryConfig) error }

// ChanOption is an option of Chan.
type ChanOption interface{ applyChan(*memoryConfig) error }

// memoryConfig is what the in-memory sources can be told.
type memoryConfig struct {
	pageRows int
	measure  func() (done, total float64) // nil if the iterator does not say
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

// Measure lets an iterator say how far it is, so that Progress can tell how much is left
// (rxcql.Estimate): done of total, in any unit, such as the bytes of a file that have been
// read. It is called in the goroutine that reads the iterator, once a page. A total of 0 or
// less is one that is not known yet.
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

// PageRows sets the most rows in a page, 1 to 1,048,576: default 10,000 for Query
// and Table, 512 for the others. There are fewer where rows are large.
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
