package ddl

import (
	"strings"

	"github.com/rxcql/rxcql/internal/schema"
)

// CreateTable returns the statement that makes a table with the columns and keys of t, under the
// name of t, unless there is one of that name.
func CreateTable(t *schema.Table, options []Option) string {
	var s strings.Builder
	s.WriteString("CREATE TABLE IF NOT EXISTS " + t.Quoted() + " (")
	for _, c := range t.Columns {
		s.WriteString(schema.Quote(c.Name) + " " + c.Type.String())
		if c.Kind == schema.Static {
			s.WriteString(" static")
		}
		s.WriteString(", ")
	}
	s.WriteString("PRIMARY KEY ((" + list(t.PartitionKey) + ")")
	if len(t.ClusteringKey) > 0 {
		s.WriteString(", " + list(t.ClusteringKey))
	}
	s.WriteString("))")
	var with []string
	if len(t.ClusteringKey) > 0 {
		order := make([]string, len(t.ClusteringKey))
		for i, c := range t.ClusteringKey {
			order[i] = schema.Quote(c.Name) + " ASC"
			if c.Descending {
				order[i] = schema.Quote(c.Name) + " DESC"
			}
		}
		with = append(with, "CLUSTERING ORDER BY ("+strings.Join(order, ", ")+")")
	}
	for _, o := range options {
		with = append(with, o.Name+" = "+o.Value)
	}
	if len(with) > 0 {
		s.WriteString(" WITH " + strings.Join(with, " AND "))
	}
	return s.String()
}

func list(columns []schema.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = schema.Quote(c.Name)
	}
	return strings.Join(names, ", ")
}
