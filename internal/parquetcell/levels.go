package parquetcell

// form is how a node of a schema is put together, in both directions.
type form uint8

const (
	formLeaf  form = iota
	formList       // of one child, which repeats
	formMap        // of two children, which repeat together
	formGroup      // of any children, once
	formNull       // a field that the file does not have: always null
)

// levels are the definition and repetition levels of a node, as the Parquet format counts them
// from the root.
type levels struct {
	present  int // definition level from which the node is not null
	required bool
	repeats  int // repetition level of its further elements, for a list or a map
	element  int // definition level from which it has an element
}
