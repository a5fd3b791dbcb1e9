package main

// What an operator costs at least: its function called in a loop, and its rows put where a next
// loop would find them. The functions are variables, so that the compiler does not know them, as
// it does not in an operator.

var (
	handMap     = readingOf
	handFlatMap = func(e event, emit func(event) bool) error { emit(e); return nil }
)

var (
	mapped   = make([]reading, operatorPage)
	flat     = make([]event, 0, operatorPage)
	gathered = make([][]event, 0, operatorPage)
	open     []event
)

func mapByHand(rows []event) int64 {
	for i := range rows {
		var err error
		if mapped[i], err = handMap(rows[i]); err != nil {
			panic(err)
		}
	}
	return int64(len(rows))
}

func flatMapByHand(rows []event) int64 {
	flat = flat[:0]
	emit := func(e event) bool { flat = append(flat, e); return true }
	for i := range rows {
		if err := handFlatMap(rows[i], emit); err != nil {
			panic(err)
		}
	}
	return int64(len(flat))
}

// batchByHand makes batches that their receiver may keep. The last one may be short, as the page is
// not a multiple of them: it goes on with the next page.
func batchByHand(rows []event) (n int64) {
	gathered = gathered[:0]
	for i := range rows {
		if open == nil {
			open = make([]event, 0, partitionRows)
		}
		if open = append(open, rows[i]); len(open) == partitionRows {
			gathered = append(gathered, open)
			open, n = nil, n+1
		}
	}
	return n
}
