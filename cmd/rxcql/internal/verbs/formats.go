package verbs

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/transfer"
	"github.com/rxcql/rxcql/transfer/parquetfiles"
)

// formatFlags say how files look.
type formatFlags struct {
	format, dialect          string
	delimiter, quote, escape string
	null, encoding, header   string
	timestamps, zone         string
	booleans, decimals       string

	set *pflag.FlagSet
}

// add adds the flags, those of a dialect at the end.
func (f *formatFlags) add(set *pflag.FlagSet) {
	f.set = set
	set.StringVar(&f.format, "format", "", "csv, ndjson, json (one array) or parquet (default: by the end of the file's `name`, else csv)")
	set.StringVar(&f.dialect, "dialect", "rfc4180", "the `preset` of CSV: rfc4180, cqlsh (as COPY writes and reads) or dsbulk")
	set.StringVar(&f.delimiter, "delimiter", "", "the `character` between fields; \\t is a tab")
	set.StringVar(&f.quote, "quote", "", "the `character` around fields")
	set.StringVar(&f.escape, "escape", "", "the `character` before a quote that belongs to the text; that of --quote doubles quotes")
	set.StringVar(&f.null, "null", "", "the `text` of null (default: an empty field)")
	set.StringVar(&f.header, "header", "", "whether the first line names the columns: `yes or no`")
	set.StringVar(&f.encoding, "encoding", "", "`utf-8 or latin-1`")
	set.StringVar(&f.timestamps, "timestamps", "", "the `layout` of timestamps, as Go has it: 2006-01-02 15:04:05.000Z07:00")
	set.StringVar(&f.zone, "zone", "", "the time `zone` of timestamps without one: UTC, Europe/Berlin")
	set.StringVar(&f.booleans, "booleans", "", "the `words` for true and false: yes,no")
	set.StringVar(&f.decimals, "decimals", "", "`how` decimals are written: string (as Java does), plain, or exponent")
}

// read returns the format for a path; nil for that which the path's name says. letters says that
// the path is a file of bad records: then flags about CSV are about these, and not about the file.
func (f *formatFlags) read(path string, letters bool) (transfer.Format, error) {
	d, changed, err := f.readDialect()
	if err != nil {
		return nil, err
	}
	format := strings.ToLower(f.format)
	if format == "" && strings.HasSuffix(strings.ToLower(path), ".parquet") {
		format = "parquet"
	}
	isCSV := format == "csv" || format == "" && (letters || extension(path) == "")
	if len(changed) > 0 && !isCSV {
		return nil, fmt.Errorf("--%s: it says how CSV looks; leave it out, or give --format csv", strings.Join(changed, ", --"))
	}
	switch format {
	case "":
		if len(changed) > 0 {
			return transfer.CSV(d), nil
		}
		return nil, nil //nolint:nilnil // by the name
	case "csv":
		return transfer.CSV(d), nil
	case "ndjson", "jsonl":
		return transfer.NDJSON(), nil
	case "json":
		return transfer.JSONArray(), nil
	case "parquet":
		return parquetfiles.Format(), nil
	}
	return nil, fmt.Errorf("--format %q: must be csv, ndjson, json or parquet", f.format)
}

// extension returns the end of a name that may say json, without that of a compression.
func extension(path string) string {
	path = strings.ToLower(path)
	path = strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".zst")
	for _, end := range []string{".json", ".jsonl", ".ndjson"} {
		if strings.HasSuffix(path, end) {
			return "json"
		}
	}
	return ""
}

// readDialect returns the dialect, and the flags that say something of it.
func (f *formatFlags) readDialect() (d dialect.Dialect, changed []string, err error) {
	for _, name := range []string{"dialect", "delimiter", "quote", "escape", "null", "header", "encoding", "timestamps", "zone", "booleans", "decimals"} {
		if f.set.Lookup(name).Changed {
			changed = append(changed, name)
		}
	}
	var errs []error
	switch strings.ToLower(f.dialect) {
	case "rfc4180":
		d = dialect.RFC4180()
	case "cqlsh":
		d = dialect.Cqlsh()
	case "dsbulk":
		d = dialect.DSBulk()
	default:
		return d, nil, fmt.Errorf("--dialect %q: must be rfc4180, cqlsh or dsbulk", f.dialect)
	}
	escapeDoubles := d.Escape == d.Quote
	for _, c := range []struct {
		flag, value string
		to          *byte
	}{{"delimiter", f.delimiter, &d.Separator}, {"quote", f.quote, &d.Quote}, {"escape", f.escape, &d.Escape}} {
		value := strings.ReplaceAll(c.value, `\t`, "\t")
		switch {
		case !f.set.Lookup(c.flag).Changed:
		case len(value) != 1:
			errs = append(errs, fmt.Errorf("--%s %q: must be one ASCII character", c.flag, c.value))
		default:
			*c.to = value[0]
		}
	}
	if f.quote != "" && f.escape == "" && escapeDoubles {
		d.Escape = d.Quote // quotes are doubled, whatever they are
	}
	if d.Escape == d.Quote {
		d.EscapeBare = false
	}
	if f.set.Lookup("null").Changed {
		d.Null = f.null
	}
	errs = append(errs, f.words(&d), f.times(&d))
	return d, changed, errors.Join(errs...)
}

// words reads the flags that are one of a few words.
func (f *formatFlags) words(d *dialect.Dialect) error {
	var errs []error
	switch strings.ToLower(f.header) {
	case "":
	case "yes", "true":
		d.Header = true
	case "no", "false":
		d.Header = false
	default:
		errs = append(errs, fmt.Errorf("--header %q: must be yes or no", f.header))
	}
	switch strings.ToLower(f.encoding) {
	case "":
	case "utf-8", "utf8":
		d.Encoding = dialect.UTF8
	case "latin-1", "latin1", "iso-8859-1":
		d.Encoding = dialect.Latin1
	default:
		errs = append(errs, fmt.Errorf("--encoding %q: must be utf-8 or latin-1", f.encoding))
	}
	switch strings.ToLower(f.decimals) {
	case "":
	case "string":
		d.Decimals = dialect.DecimalString
	case "plain":
		d.Decimals = dialect.DecimalPlain
	case "exponent":
		d.Decimals = dialect.DecimalExponent
	default:
		errs = append(errs, fmt.Errorf("--decimals %q: must be string, plain or exponent", f.decimals))
	}
	if f.booleans != "" {
		yes, no, found := strings.Cut(f.booleans, ",")
		if !found || yes == "" || no == "" {
			errs = append(errs, fmt.Errorf("--booleans %q: must be two words: yes,no", f.booleans))
		}
		d.Booleans = append([]dialect.Words{{True: yes, False: no}}, d.Booleans...)
	}
	return errors.Join(errs...)
}

func (f *formatFlags) times(d *dialect.Dialect) error {
	if f.timestamps != "" {
		d.Timestamps = append([]string{f.timestamps}, d.Timestamps...)
	}
	if f.zone == "" {
		return nil
	}
	zone, err := time.LoadLocation(f.zone)
	if err != nil {
		return fmt.Errorf("--zone %q: %w", f.zone, err)
	}
	d.Zone = zone
	return nil
}
