package verbs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/verbs"
)

// optionsOf are the names of the options that a package exports: functions without a receiver that
// return an option.
func optionsOf(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../../../..", folder, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
				continue
			}
			switch returns := f.Type.Results.List[0].Type.(type) {
			case *ast.Ident:
				if strings.HasSuffix(returns.Name, "Option") {
					names = append(names, f.Name.Name)
				}
			case *ast.InterfaceType:
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

func TestEachOptionHasAWordOfTheCommand(t *testing.T) {
	for pkg, folder := range map[string]string{"transfer": "transfer", "source": "source", "sink": "sink", "rxcql": "."} {
		names := optionsOf(t, folder)
		require.NotEmpty(t, names)
		for _, name := range names {
			for _, text := range []string{"give " + pkg + "." + name + ", or leave it out", pkg + "." + name + "(4): must be 5", name + ": must be 5"} {
				got := verbs.Plain(text)
				require.NotContains(t, got, pkg+".", text)
				require.NotContains(t, got, name, "%s: put its word into words.go", text)
			}
		}
	}
}

func TestErrorsAreSaidInTheWordsOfTheCommand(t *testing.T) {
	for text, want := range map[string]string{
		"rxcql: invalid: transfer.Copy: WithShard(4, 4): the share must be from 0 to n-1":          "rxcql: invalid: --shard 4, 4: the share must be from 0 to n-1",
		"there is no table; give Create to have it made":                                           "there is no table; give --create to have it made",
		"Lossy and TimesOptions say how times are kept: give WithTimes too, or leave them out":     "--lossy and --markers and --marker-time say how times are kept: give --times too, or leave them out",
		`name it with Rename, or LeaveOut("x")`:                                                    `name it with --rename, or --leave-out "x"`,
		"t.csv: exists; give sink.Overwrite() if what is in it is not needed":                      "t.csv: exists; give --replace if what is in it is not needed",
		"rows get it from their values (sink.Markers)":                                             "rows get it from their values (--markers)",
		"read these two by source.Query, or raise rxcql.WithBudget.":                               "read these two by Query, or raise --budget.",
		"it has a value and no write time: give Untimed for columns that you have added, or Lossy": "it has a value and no write time: give --lossy",
		"it has none: give Untimed if you have added it, or Lossy if the server cannot tell":       "it has none: give --lossy if the server cannot tell",
		`column "Create" of shop."Files" and /data/Create/Files, from Columns that are Left over`:  `column "Create" of shop."Files" and /data/Create/Files, from Columns that are Left over`,
		"source.orders and sink.t are tables":                                                      "source.orders and sink.t are tables",
	} {
		require.Equal(t, want, verbs.Plain(text))
	}
}

func TestWhatTheCommandPrintsNamesNoOptionsOfPackages(t *testing.T) {
	server, host := shop(t)
	archive(server, "archive")
	server.Keyspace("counts", "a (id int PRIMARY KEY, n counter)", "b (id int PRIMARY KEY, n counter)")
	there := write(t, "there.csv", "id,v\n")
	out := t.TempDir()
	for _, args := range [][]string{
		{"copy", "shop.orders", "--to", "archive.none"},
		{"copy", "counts.a", "--to", "counts.b"},
		{"copy", "shop.orders", "--to", "archive", "--rename", "none=other", "--drop", "id"},
		{"copy", "shop.orders", "--to", "archive", "--times", "--dry-run"},
		{"copy", "shop.orders", "--to", "archive", "--times"},
		{"unload", "shop.orders", "--out", there},
		{"unload", "shop.orders", "--out", there, "--replace", "--files", "4"},
		{"unload", "shop.orders", "--out", "-", "--checkpoint", out},
		{"unload", "shop.orders", "--out", filepath.Join(out, "u.csv"), "--columns", "none"},
		{"load", there, "--into", "archive.orders", "--map", "a=b"},
		{"load", "-", "--into", "archive.orders", "--checkpoint", out},
		{"diff", "shop.orders", "--to", "counts.a", "--out", filepath.Join(out, "d")},
		{"diff", "shop.orders", "--to", "archive", "--pause", "-1s", "--out", filepath.Join(out, "d")},
		{"repair", "shop.orders", "--to", "archive", "--file", "/no/such/file", "--out", filepath.Join(out, "r")},
	} {
		got := rxcql(t, append(args, "--hosts", host, "--progress", "none", "--json", filepath.Join(out, "r.json"))...)
		report, err := os.ReadFile(filepath.Join(out, "r.json"))
		require.NoError(t, err)
		for _, name := range []string{"transfer.", "sink.", "source.", "rxcql.With"} {
			require.NotContains(t, got.out+got.err+string(report), name, args)
		}
	}
}
