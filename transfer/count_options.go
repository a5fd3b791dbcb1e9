package transfer

import "fmt"

// CountOption is an option of Count.
type CountOption interface{ applyCount(*countConfig) error }

// countConfig has the options of Count.
type countConfig struct {
	config
	ranges  bool
	sizes   bool
	largest int
}

// maxLargest is the most partitions that a count names.
const maxLargest = 10_000

type countOption func(*countConfig) error

func (o countOption) applyCount(c *countConfig) error { return o(c) }

// CountRanges adds to the report what each range of tokens has. It has 1,024 ranges at most: where
// a table is read in more, neighbours are added up.
func CountRanges() CountOption {
	return countOption(func(c *countConfig) error {
		c.ranges = true
		return nil
	})
}

// CountSizes adds the bytes of values to the report. All columns are then read, and not only those
// of the key. Bytes are those of the values as they are sent to a client: what a table takes on
// disk may be more (names and times of cells, tombstones) or less (compression).
func CountSizes() CountOption {
	return countOption(func(c *countConfig) error {
		c.sizes = true
		return nil
	})
}

// CountLargest adds the n partitions with the most rows to the report, and with CountSizes also
// those with the most bytes. They are named by the values of their keys, which are then in the
// report and in the job's checkpoint. Default 0, at most 10,000.
func CountLargest(n int) CountOption {
	return countOption(func(c *countConfig) error {
		c.largest = n
		if n < 0 || n > maxLargest {
			return fmt.Errorf("CountLargest(%d): must be from 0 to %d", n, maxLargest)
		}
		return nil
	})
}
