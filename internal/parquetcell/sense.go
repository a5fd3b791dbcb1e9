package parquetcell

import (
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/rxcql/rxcql/internal/codec"
)

// meaning is what the values of a leaf column stand for.
type meaning uint8

const (
	meansNothing meaning = iota // this package does not know the type
	meansBool
	meansSigned   // a whole number
	meansUnsigned // a whole number that is never negative
	meansFloat
	meansDouble
	meansText      // UTF-8
	meansBytes     // BYTE_ARRAY of which nothing more is said: old writers mean text by it, others bytes
	meansBinary    // bytes
	meansDecimal   // an unscaled number
	meansDate      // days since 1970-01-01
	meansTime      // a time of day, in units
	meansTimestamp // an instant, in units since 1970-01-01
	meansInt96     // an instant, as Impala and old versions of Spark write it
	meansUUID
	meansInterval // months, days and milliseconds
)

// sense is the meaning of a leaf column, with what belongs to it.
type sense struct {
	meaning meaning
	kind    parquet.Kind
	unit    time.Duration // of a time or a timestamp
	scale   int32         // of a decimal
	bits    int           // of a whole number
}

// senseOf reads the meaning off a leaf's type.
func senseOf(t parquet.Type) sense {
	s := sense{kind: t.Kind()}
	if logical := t.LogicalType(); logical != nil && logical.Value != nil {
		s.logical(logical)
		return s
	}
	if old := t.ConvertedType(); old != nil && *old == deprecated.Interval {
		s.meaning = meansInterval
		return s
	}
	s.meaning = map[parquet.Kind]meaning{
		parquet.Boolean: meansBool, parquet.Int32: meansSigned, parquet.Int64: meansSigned, parquet.Int96: meansInt96,
		parquet.Float: meansFloat, parquet.Double: meansDouble, parquet.ByteArray: meansBytes,
		parquet.FixedLenByteArray: meansBinary,
	}[s.kind]
	s.bits = map[parquet.Kind]int{parquet.Int32: 32, parquet.Int64: 64}[s.kind]
	return s
}

// logical reads the meaning off a logical type. Its physical type must be one of those that the
// format allows, since a file may be anything.
func (s *sense) logical(logical *format.LogicalType) {
	set := func(m meaning, kinds ...parquet.Kind) {
		for _, k := range kinds {
			if s.kind == k {
				s.meaning = m
			}
		}
	}
	switch l := logical.Value.(type) {
	case *format.StringType, *format.EnumType, *format.JsonType:
		set(meansText, parquet.ByteArray)
	case *format.BsonType:
		set(meansBinary, parquet.ByteArray)
	case *format.UUIDType:
		set(meansUUID, parquet.FixedLenByteArray)
	case *format.IntType:
		m := meansUnsigned
		if l.IsSigned {
			m = meansSigned
		}
		s.bits = int(l.BitWidth)
		set(m, parquet.Int32, parquet.Int64)
	case *format.DecimalType:
		s.scale = l.Scale
		set(meansDecimal, parquet.Int32, parquet.Int64, parquet.ByteArray, parquet.FixedLenByteArray)
	case *format.DateType:
		set(meansDate, parquet.Int32)
	case *format.TimeType:
		if l.Unit.Value != nil {
			s.unit = l.Unit.Value.Duration()
			set(meansTime, parquet.Int32, parquet.Int64)
		}
	case *format.TimestampType:
		if l.Unit.Value != nil {
			s.unit = l.Unit.Value.Duration()
			set(meansTimestamp, parquet.Int64)
		}
	}
}

// natural is the CQL type that holds the values of a leaf best; false if there is none.
func (s sense) natural() (codec.Kind, bool) {
	switch s.meaning {
	case meansBool:
		return codec.Boolean, true
	case meansSigned:
		switch s.bits {
		case 8:
			return codec.Tinyint, true
		case 16:
			return codec.Smallint, true
		case 32:
			return codec.Int, true
		}
		return codec.Bigint, true
	case meansUnsigned:
		switch s.bits {
		case 8:
			return codec.Smallint, true
		case 16:
			return codec.Int, true
		case 32:
			return codec.Bigint, true
		}
		return codec.Varint, true
	case meansFloat:
		return codec.Float, true
	case meansDouble:
		return codec.Double, true
	case meansText:
		return codec.Text, true
	case meansBytes, meansBinary:
		return codec.Blob, true
	case meansDecimal:
		return codec.Decimal, true
	case meansDate:
		return codec.Date, true
	case meansTime:
		return codec.Time, true
	case meansTimestamp, meansInt96:
		return codec.Timestamp, true
	case meansUUID:
		return codec.UUID, true
	case meansInterval:
		return codec.Duration, true
	}
	return 0, false
}
