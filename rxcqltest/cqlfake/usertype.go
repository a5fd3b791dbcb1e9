package cqlfake

import (
	"slices"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"

	"github.com/rxcql/rxcql/internal/codec"
)

// createType reads a user-defined type behind CREATE TYPE.
func (p *parser) createType() func() message.Message {
	missing := p.ifNotExists()
	keyspace, name := p.tableName()
	if !p.server.keyspaces[keyspace] {
		refuse(invalid("Keyspace '%s' doesn't exist", keyspace))
	}
	mayChange(keyspace)
	p.typesOf = keyspace
	made := &codec.Type{Kind: codec.UDT, Keyspace: keyspace, Name: name}
	p.need("(")
	for more := true; more; more = p.take(",") {
		field := codec.Field{Name: p.name()}
		if slices.ContainsFunc(made.Fields, func(other codec.Field) bool { return other.Name == field.Name }) {
			refuse(invalid("Duplicate field name '%s' in type '%s'", field.Name, name))
		}
		field.Type = p.typ()
		switch {
		case isCounter(field.Type):
			refuse(invalid("A user type cannot contain counters"))
		case field.Type.Kind == codec.UDT && !field.Type.Frozen:
			refuse(invalid("A user type cannot contain non-frozen UDTs"))
		}
		known(field.Type)
		made.Fields = append(made.Fields, field)
	}
	p.need(")")
	if p.server.types[tableName{keyspace, name}] != nil {
		if missing {
			return func() message.Message { return &message.VoidResult{} }
		}
		refuse(invalid("A user type with name '%s' already exists", name))
	}
	return func() message.Message {
		p.server.types[tableName{keyspace, name}] = made
		names, types := []string{}, []string{}
		for _, f := range made.Fields {
			names, types = append(names, f.Name), append(types, f.Type.String())
		}
		p.server.put("system_schema.types", fields{"keyspace_name": keyspace, "type_name": name, "field_names": names, "field_types": types})
		return p.server.changed(primitive.SchemaChangeTypeCreated, keyspace, primitive.SchemaChangeTargetType, name)
	}
}

// dropType reads DROP TYPE behind these words.
func (p *parser) dropType() func() message.Message {
	exists := p.take("if", "exists")
	keyspace, name := p.tableName()
	dropped := p.server.types[tableName{keyspace, name}]
	if dropped == nil {
		if !exists {
			refuse(invalid("Type '%s.%s' doesn't exist", keyspace, name))
		}
		return func() message.Message { return &message.VoidResult{} }
	}
	for _, other := range p.server.types {
		if other != dropped && has(other, dropped) {
			refuse(unknown("DROP TYPE of one that another type has"))
		}
	}
	for _, t := range p.server.tables {
		if slices.ContainsFunc(t.columns, func(c *column) bool { return has(c.typ, dropped) }) {
			refuse(unknown("DROP TYPE of one that a table has"))
		}
	}
	return func() message.Message {
		delete(p.server.types, tableName{keyspace, name})
		p.server.forget(keyspace, "type_name", name)
		return p.server.changed(primitive.SchemaChangeTypeDropped, keyspace, primitive.SchemaChangeTargetType, name)
	}
}

// has reports whether a type is a user-defined one, or is made of it.
func has(t, user *codec.Type) bool {
	if t.Kind == codec.UDT && t.Keyspace == user.Keyspace && t.Name == user.Name {
		return true
	}
	return slices.ContainsFunc(t.Elems, func(e *codec.Type) bool { return has(e, user) }) ||
		slices.ContainsFunc(t.Fields, func(f codec.Field) bool { return has(f.Type, user) })
}

func isCounter(t *codec.Type) bool { return t.Kind == codec.Counter }

// inParts reports whether values of the type can be kept in parts: those that are not frozen.
func inParts(t *codec.Type) bool {
	switch t.Kind {
	case codec.List, codec.Set, codec.Map, codec.UDT:
		return !t.Frozen
	}
	return false
}

// frozen is the type as it is inside of a frozen one. A tuple always is.
func frozen(t *codec.Type) *codec.Type {
	made := *t
	made.Elems, made.Fields = nil, nil
	switch t.Kind {
	case codec.List, codec.Set, codec.Map, codec.UDT, codec.Tuple:
		made.Frozen = true
	}
	for _, e := range t.Elems {
		made.Elems = append(made.Elems, frozen(e))
	}
	for _, f := range t.Fields {
		made.Fields = append(made.Fields, codec.Field{Name: f.Name, Type: frozen(f.Type)})
	}
	return &made
}

// spread has all inside of what is frozen be so too.
func spread(t *codec.Type) *codec.Type {
	if t.Frozen || t.Kind == codec.Tuple || t.Kind == codec.Vector {
		return frozen(t)
	}
	if t.Kind == codec.UDT {
		return t
	}
	made := *t
	made.Elems = nil
	for _, e := range t.Elems {
		made.Elems = append(made.Elems, spread(e))
	}
	return &made
}

// known refuses the types of columns that no server takes, and those that a server treats in ways
// that this one does not.
func known(t *codec.Type) {
	switch {
	case t.Kind == codec.Custom:
		refuse(unknown("columns of type %s", t))
	case (t.Kind == codec.Set || t.Kind == codec.Map) && compare(t.Elems[0]) == nil:
		refuse(unknown("the order of %s in a set or map", t.Elems[0]))
	}
	for _, e := range t.Elems {
		switch {
		case isCounter(e):
			refuse(invalid("Counters are not allowed inside collections: %s", t))
		case inParts(e) && e.Kind == codec.UDT:
			refuse(invalid("Non-frozen UDTs are not allowed inside collections: %s", t))
		case inParts(e):
			refuse(invalid("Non-frozen collections are not allowed inside collections: %s", t))
		}
		known(e)
	}
	for _, f := range t.Fields {
		if inParts(t) && inParts(f.Type) {
			refuse(invalid("Non-frozen UDTs with nested non-frozen collections are not supported"))
		}
		known(f.Type)
	}
}
