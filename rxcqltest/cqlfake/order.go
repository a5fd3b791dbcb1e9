package cqlfake

import "slices"

// ordering reads ORDER BY, if it is there: the order of the clustering key, or its reverse.
func (p *parser) ordering(t *table, w *where) {
	if !p.take("order", "by") {
		return
	}
	if w.partition == nil {
		refuse(invalid("ORDER BY is only supported when the partition key is restricted by an EQ or an IN."))
	}
	if slices.ContainsFunc(w.partition, func(c condition) bool { return c.op == inList }) {
		refuse(unknown("ORDER BY together with IN on the partition key"))
	}
	for n, more := 0, true; more; n, more = n+1, p.take(",") {
		c := t.column(p.name())
		desc := p.take("desc")
		if !desc {
			p.take("asc")
		}
		if n >= len(t.clustering) || t.clustering[n] != c {
			refuse(unknown("ORDER BY of other columns than those of the clustering key from the first one on"))
		}
		reversed := desc != c.desc
		if n > 0 && reversed != w.reversed {
			refuse(unknown("ORDER BY that is neither the order of the clustering key nor its reverse"))
		}
		w.reversed = reversed
	}
}
