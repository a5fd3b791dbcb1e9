package codec

import "github.com/gocql/gocql"

// protocol is the version whose value formats this package reads and writes; they are the same in
// 3, 4 and 5.
const protocol = 4

// Info is the driver's description of the type at protocol 4, as user Marshalers and Unmarshalers
// expect it. A vector is, as in the driver's own metadata, a custom type with its Java class and
// parameters.
func (t *Type) Info() gocql.TypeInfo {
	native := gocql.NewNativeType(protocol, kinds[t.Kind].driver, "")
	switch t.Kind {
	case List, Set:
		return gocql.CollectionType{NativeType: native, Elem: t.Elems[0].Info()}
	case Map:
		return gocql.CollectionType{NativeType: native, Key: t.Elems[0].Info(), Elem: t.Elems[1].Info()}
	case Tuple:
		info := gocql.TupleTypeInfo{NativeType: native}
		for _, e := range t.Elems {
			info.Elems = append(info.Elems, e.Info())
		}
		return info
	case UDT:
		info := gocql.UDTTypeInfo{NativeType: native, KeySpace: t.Keyspace, Name: t.Name}
		for _, f := range t.Fields {
			info.Elements = append(info.Elements, gocql.UDTField{Name: f.Name, Type: f.Type.Info()})
		}
		return info
	case Vector, Custom:
		return gocql.NewNativeType(protocol, gocql.TypeCustom, t.Class())
	}
	return native
}
