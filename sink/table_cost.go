package sink

import (
	"unsafe"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
)

// The memory that rows in a batch take in addition to their bytes: the positions of their cells,
// the arguments of the request, and what the driver makes of these. A row of 300 columns of which
// two are set has 12 bytes, and takes 36 KiB.
const (
	// grown is the capacity of growing slices for each 4 elements that they need.
	grown = 5

	cellCost = int64(unsafe.Sizeof(end{})+unsafe.Sizeof(driver.Value{})+unsafe.Sizeof(any(nil)))*grown/4 + driverValue
	rowCost  = int64(unsafe.Sizeof(batchRow{})+unsafe.Sizeof(gocql.BatchEntry{}))*grown/4 + markerCost + driverEntry
	// markerCost is the cost of the timestamp and the time to live.
	markerCost = 2 * (cellCost + 12)
	// batchCost includes gocql's query, which is kept with its batch, and what belongs to it.
	batchCost = int64(unsafe.Sizeof(batch{})+unsafe.Sizeof(flow.Reservation{})+unsafe.Sizeof(gocql.Query{})) + 384

	driverValue = 48 // gocql's queryValues
	driverEntry = 64 // its batchStatment
)

// memory bounds what a table sink takes on, in bytes of cost: at most half of the budget for rows
// that wait to be sorted, and batches that wait and are in flight, or one batch if that is larger.
type memory struct {
	batch   int64 // the size from which a batch takes no more rows
	sorting int64 // of rows that wait to be sorted; 0 if none do
	open    int64 // of all batches that wait
	flight  int64 // of all batches in flight
	reuse   int64 // of a batch that is reused
}

// most is the bound in all, if no batch is larger.
func (m memory) most() int64 { return m.sorting + m.open + m.flight }

func memoryOf(budget int64, sorted bool) memory {
	m := memory{
		batch:  budget / 8,
		open:   budget / 8,
		flight: min(maxFlightBytes, budget*3/8),
		reuse:  max(16<<10, budget/128),
	}
	if sorted {
		m.sorting, m.open, m.flight = min(maxSortBytes, budget/4), budget/16, min(maxFlightBytes, budget*3/16)
	}
	return m
}
