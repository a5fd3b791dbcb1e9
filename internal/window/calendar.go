package window

// calendar is a heap of what is due, the earliest first; of what is due at one time the one with
// the least number first.
type calendar[P any] []entry[P]

type entry[P any] struct {
	due, number int64
	of          P
}

func (e *entry[P]) before(o *entry[P]) bool {
	return e.due < o.due || e.due == o.due && e.number < o.number
}

// keep drops all entries but some, if most of many are out of date: there are more than three for
// each that is in use.
func (c *calendar[P]) keep(inUse int64, some func(entry[P]) bool) {
	if len(*c) < 64 || int64(len(*c)) <= 3*inUse {
		return
	}
	all := *c
	*c = nil
	for _, e := range all {
		if some(e) {
			c.push(e.due, e.number, e.of)
		}
	}
}

// isDue reports whether the first entry is due at t.
func (c calendar[P]) isDue(t int64) bool { return len(c) > 0 && c[0].due <= t }

func (c *calendar[P]) push(due, number int64, of P) {
	all := append(*c, entry[P]{due, number, of})
	*c = all
	for i := len(all) - 1; i > 0; {
		parent := (i - 1) / 2
		if !all[i].before(&all[parent]) {
			return
		}
		all[i], all[parent] = all[parent], all[i]
		i = parent
	}
}

func (c *calendar[P]) pop() entry[P] {
	all := *c
	first, last := all[0], len(all)-1
	all[0] = all[last]
	all[last] = entry[P]{}
	all = all[:last]
	*c = all
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if all[child].before(&all[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		all[i], all[least] = all[least], all[i]
		i = least
	}
}
