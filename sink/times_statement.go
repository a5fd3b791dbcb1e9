package sink

import (
	"strings"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// slot is what a statement can set: a column, a field of a user-defined type, or elements of a map
// or a set.
type slot struct {
	name string // in CQL
	typ  *codec.Type
	form slotForm
}

type slotForm uint8

const (
	formWhole slotForm = iota // a column whose value has one time: INSERT takes it too
	formField
	formElements // added to those that are there
	formList     // has statements of its own
)

// timedStatements makes the statements of static columns, or of regular ones. It is used by one
// goroutine.
type timedStatements struct {
	table  *schema.Table
	same   sameness
	keys   []schema.Column
	slots  []slot
	made   map[string]*statement
	shaper shaper
}

func (s *timedStatements) begin(table *schema.Table, same sameness, keys []schema.Column) {
	s.table, s.same, s.keys, s.made = table, same, keys, map[string]*statement{}
}

// add adds a column, and its slots.
func (s *timedSide) add(t timedTarget) {
	t.slot = len(s.slots)
	s.columns = append(s.columns, t)
	name := schema.Quote(t.Name)
	switch {
	case t.parts && t.Type.Kind == codec.UDT:
		for _, f := range t.Type.Fields {
			s.slots = append(s.slots, slot{name + "." + schema.Quote(f.Name), f.Type, formField})
		}
	case t.parts && t.Type.Kind == codec.List:
		s.slots = append(s.slots, slot{name, t.Type, formList})
	case t.parts:
		s.slots = append(s.slots, slot{name, t.Type, formElements})
	default:
		s.slots = append(s.slots, slot{name, t.Type, formWhole})
	}
}

// Kinds of statements.
const (
	kindInsert byte = 'i' // the row, with whole columns
	kindMarker byte = 'm' // the row alone
	kindUpdate byte = 'u' // any slots
	kindSet    byte = 's' // a list
	kindAppend byte = 'a' // more of a list
	kindRead   byte = 'r' // reads the lists
)

// bindKeys appends the cells that a key binds: tuples bind their elements. sign tells keys apart
// that need other statements.
func (s *timedStatements) bindKeys(keys, cells []codec.Cell) (sign string, bound []codec.Cell, err error) {
	s.shaper.sign, s.shaper.cells = s.shaper.sign[:0], cells
	defer func() { s.shaper.cells = nil }()
	plain := true
	for i, c := range s.keys {
		if !expands(c.Type) {
			s.shaper.value(keys[i])
			continue
		}
		plain = false
		if err := s.shaper.tuple(c.Type, keys[i]); err != nil {
			return "", nil, inColumn(c.Name, c.Type, err)
		}
	}
	if !plain {
		sign = string(s.shaper.sign)
	}
	return sign, s.shaper.cells, nil
}

// statement returns the statement that writes the pieces, and appends the cells that it binds in
// addition to its key. Slots without a piece are left as they are: a statement of one piece has
// that slot alone, others have all slots of their kind, which are unset. So there are few texts.
func (s *timedStatements) statement(kind byte, keySign string, pieces []piece, cells []codec.Cell) (*statement, []codec.Cell, error) {
	s.shaper.sign, s.shaper.cells = append(append(s.shaper.sign[:0], kind), keySign...), cells
	only := -1
	if len(pieces) == 1 && kind != kindInsert {
		only = int(pieces[0].slot)
		s.shaper.sign = append(s.shaper.sign, byte(only>>8), byte(only))
	}
	start := len(s.shaper.sign)
	for i, slot := range s.slots {
		if !slot.in(kind) || only >= 0 && i != only {
			continue
		}
		here := len(pieces) > 0 && int(pieces[0].slot) == i
		switch {
		case here && expands(slot.typ):
			if err := s.shaper.tuple(slot.typ, pieces[0].cell); err != nil {
				return nil, cells, inColumn(slot.name, slot.typ, err)
			}
		case here:
			s.shaper.value(pieces[0].cell)
		case expands(slot.typ):
			s.shaper.sign = append(s.shaper.sign, signOmitted)
		default:
			s.shaper.value(codec.Cell{Null: true})
		}
		if here {
			pieces = pieces[1:]
		}
	}
	st := s.made[string(s.shaper.sign)]
	if st == nil {
		st = s.make(kind, keySign, only, string(s.shaper.sign[start:]))
		s.made[string(s.shaper.sign)] = st
	}
	cells = s.shaper.cells
	s.shaper.cells = nil
	return st, cells, nil
}

// in reports whether statements of a kind have the slot.
func (s *slot) in(kind byte) bool {
	switch kind {
	case kindInsert:
		return s.form == formWhole
	case kindUpdate:
		return s.form != formList
	case kindSet, kindAppend:
		return s.form == formList
	}
	return false
}

// make makes the text of a statement.
func (s *timedStatements) make(kind byte, keySign string, only int, sign string) *statement {
	if keySign == "" {
		keySign = strings.Repeat(string(signValue), len(s.keys))
	}
	keys := make([]assignment, len(s.keys))
	for i, c := range s.keys {
		keys[i].name = c.Name
		keys[i].term, keys[i].types, keySign = term(keySign, c.Type)
	}
	var set []assignment
	for i, slot := range s.slots {
		if !slot.in(kind) || only >= 0 && i != only {
			continue
		}
		a := assignment{name: slot.name}
		if a.term, a.types, sign = term(sign, slot.typ); a.term == "" {
			continue
		}
		if slot.form == formElements || kind == kindAppend {
			a.term = slot.name + "+" + a.term
		}
		set = append(set, a)
	}
	if kind == kindInsert || kind == kindMarker {
		for i := range set { // insertion quotes names itself
			set[i].name = unquoted(set[i].name)
		}
		return insertion(s.table, s.same, append(keys, set...), true, false)
	}
	return update(s.table, s.same, set, keys, kind != kindUpdate)
}

// reading returns the statement that reads the lists of a key, each with its write times. It binds
// the key alone.
func (s *timedStatements) reading(keySign string) *statement {
	sign := string(kindRead) + keySign
	if st := s.made[sign]; st != nil {
		return st
	}
	if keySign == "" {
		keySign = strings.Repeat(string(signValue), len(s.keys))
	}
	var columns, where []string
	var types []*codec.Type
	for _, slot := range s.slots {
		if slot.form == formList {
			columns = append(columns, slot.name, "WRITETIME("+slot.name+")")
		}
	}
	for _, c := range s.keys {
		var a assignment
		a.term, a.types, keySign = term(keySign, c.Type)
		where, types = append(where, schema.Quote(c.Name)+"="+a.term), append(types, a.types...)
	}
	cql := "SELECT " + strings.Join(columns, ",") + " FROM " + s.table.Quoted() + " WHERE " + strings.Join(where, " AND ") + " LIMIT 1"
	aim := newAim(s.table, s.same, types)
	st := &statement{cql: cql, sent: aim.text(cql), aim: aim, markers: len(types)}
	s.made[sign] = st
	return st
}

// listOf returns which one of the lists a slot is, from 0.
func (s *timedStatements) listOf(at int32) (n int32) {
	for _, slot := range s.slots[:at] {
		if slot.form == formList {
			n++
		}
	}
	return n
}

// unquoted is the reverse of schema.Quote.
func unquoted(name string) string {
	return strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
}

// update returns a statement whose timestamp and time to live come first, and its key last.
func update(table *schema.Table, same sameness, set, keys []assignment, lists bool) *statement {
	var text strings.Builder
	text.WriteString("UPDATE " + table.Quoted() + " USING TIMESTAMP ? AND TTL ? SET ")
	for i, a := range set {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(a.name + "=" + a.term)
	}
	text.WriteString(" WHERE ")
	for i, a := range keys {
		if i > 0 {
			text.WriteString(" AND ")
		}
		text.WriteString(schema.Quote(a.name) + "=" + a.term)
	}
	types := append([]*codec.Type{timestampType, ttlType}, typesOf(set)...)
	types = append(types, typesOf(keys)...)
	aim := newAim(table, same, types)
	cql := text.String()
	return &statement{cql: cql, sent: aim.text(cql), aim: aim, markers: len(types), ttl: true, lists: lists, updates: true}
}
