package cassandra_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestTheJavaThatIsFound(t *testing.T) {
	versions := map[string]int{"/j25/bin/java": 25, "/j17/bin/java": 17, "/j11/bin/java": 11, "/j8/bin/java": 8}
	folders := map[string][]string{"/usr/lib/jvm/*17*": {"/j17"}, "/usr/lib/jvm/*11*": {"/j11"}}
	tests := []struct {
		name     string
		javaHome string
		folders  map[string][]string
		path     string
		home     string
		version  int
		errors   []string
	}{
		{name: "JAVA_HOME comes first", javaHome: "/j11", folders: folders, home: "/j11", version: 11},
		{name: "a newer JAVA_HOME is passed over", javaHome: "/j25", folders: folders, home: "/j17", version: 17},
		{name: "a broken JAVA_HOME is passed over", javaHome: "/gone", folders: folders, home: "/j17", version: 17},
		{name: "11 does as well", folders: map[string][]string{"/usr/lib/jvm/*11*": {"/j11"}}, home: "/j11", version: 11},
		{name: "PATH comes last", path: "/j17/bin/java", home: "/j17", version: 17},
		{
			name: "each rejected one is named with the reason", javaHome: "/j25", path: "/j8/bin/java",
			errors: []string{"/j25 (JAVA_HOME): Java 25", "/j8 (PATH): Java 8", "install a JDK 17"},
		},
		{name: "none at all", errors: []string{"no Java found", "install a JDK 17"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			home, version, err := cassandra.FindJava(map[string]string{"JAVA_HOME": test.javaHome}, test.folders, test.path, versions)
			if test.errors == nil {
				require.NoError(t, err)
			}
			for _, part := range test.errors {
				require.ErrorContains(t, err, part)
			}
			require.Equal(t, test.home, home)
			require.Equal(t, test.version, version)
		})
	}
}

func TestTheVersionIsReadFromWhatJavaSays(t *testing.T) {
	says := func(text string) string {
		binary := filepath.Join(t.TempDir(), "java")
		require.NoError(t, os.WriteFile(binary, []byte("#!/bin/sh\necho '"+text+"' >&2\n"), 0o700))
		return binary
	}
	for text, want := range map[string]int{
		`openjdk version "17.0.15" 2025-04-15`: 17,
		`openjdk version "25" 2025-09-16 LTS`:  25,
		`java version "1.8.0_402"`:             8,
	} {
		got, err := cassandra.JavaVersion(context.Background(), says(text))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := cassandra.JavaVersion(context.Background(), says("hello"))
	require.ErrorContains(t, err, "hello")
	_, err = cassandra.JavaVersion(context.Background(), "/nowhere/java")
	require.ErrorContains(t, err, "does not run")
}
