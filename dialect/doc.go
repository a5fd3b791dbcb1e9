// Package dialect describes the CSV of other programs: how fields are separated and quoted, what
// null is, and how times, numbers, bytes and collections are spelled. source.Dialect and
// sink.Dialect take a Dialect:
//
//	d := dialect.DSBulk()
//	d.Separator = '\t'
//	rows := source.CSV[rxcql.Row]("users.tsv", source.Dialect(d),
//		source.TypesOf(session, "shop.users"))
//
// # Presets
//
//   - RFC4180 is what the toolkit writes for other programs: commas, doubled quotes, RFC 3339.
//   - Cqlsh is what cqlsh's COPY TO … WITH HEADER = TRUE writes, and COPY FROM reads.
//   - DSBulk is what DataStax Bulk Loader writes and reads with its default settings.
//
// Text is the other half: it turns the text of one field into a value of a CQL type and back.
package dialect
