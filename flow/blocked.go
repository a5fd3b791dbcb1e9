package flow

// blockage is what is blocked (InStep): it neither moves nor goes on by itself, and yet not all of
// it is held.
type blockage struct {
	pages   int   // of readings, that are not settled
	arrived int   // of these, those that have arrived
	flight  int64 // bytes of the pages, less what is kept, which is held
	coming  int64 // of these, estimates of pages that have not arrived
	moving  int   // reservations that holders hand on
	passing int64 // bytes of these
	frees   int64 // bytes of accounts that would free themselves
}

// blocked returns what is blocked. The caller holds the mutex.
func (b *Budget) blocked() (all blockage) {
	if b.starving == 0 {
		return all
	}
	for _, in := range b.inputs {
		for _, r := range in.readings {
			if r.blocked() {
				all.pages += r.outstanding
				all.arrived += r.outstanding - r.fetching
				all.flight += r.flight - r.kept
				all.coming += r.coming
			}
		}
	}
	for _, a := range b.accounts {
		if !a.blocked() {
			continue
		}
		all.moving += a.moving
		all.passing += a.passing
		if a.frees {
			all.frees += a.held
		}
	}
	return all
}

// bytes returns the bytes that are blocked and not held.
func (all *blockage) bytes() int64 { return all.flight + all.passing + all.frees }

// spared returns how many bytes of what holders hand on are spared: that much may be in flight in
// addition to the budget, so that the rows it waits for can come. What a stage in step has made of
// pages is spared, since these pages still count, and one page more for each reservation. So a
// holder whose last page turned out too large is not taken for one that the budget has no room for.
// More than that is what a holder has gathered, and needs room in the budget.
func (all *blockage) spared(largest int64) int64 {
	room := int64(all.arrived+all.moving)*largest - (all.flight - all.coming)
	return min(all.passing, max(0, room))
}

// further returns how many pages the bytes that are spared are, besides the pages that have
// arrived: rounded up.
func (all *blockage) further(largest int64) int {
	bytes := all.spared(largest) + all.flight - all.coming
	if largest == 0 || bytes <= int64(all.arrived)*largest {
		return 0
	}
	return int((bytes+largest-1)/largest) - all.arrived
}
