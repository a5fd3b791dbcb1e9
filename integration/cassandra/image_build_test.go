//go:build unix

package cassandra_test

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// builtImage is what RXCQL_BUILD_IMAGE=1 makes, for machines whose engine can pull
// nothing: a JDK cut to size by jlink, the shared libraries it needs, a bash and
// the jars, as an image of one layer. It understands the same variables as the
// official image. Linux with ldd and a JDK with jmods only.
const builtImage = "rxcql/cassandra-built:" + cassandra.Version

const javaModules = "java.se,jdk.unsupported,jdk.management,jdk.management.agent,jdk.naming.rmi,jdk.naming.dns," +
	"jdk.crypto.ec,jdk.zipfs,jdk.net,jdk.attach,jdk.nio.mapmode,jdk.jcmd"

func buildImage(ctx context.Context, t *testing.T) {
	t.Helper()
	j, jars, err := cassandra.ServerToRun(ctx)
	require.NoError(t, err)
	jre := filepath.Join(t.TempDir(), "java")
	run(t, filepath.Join(j.Home(), "bin", "jlink"), "--add-modules", javaModules, "--output", jre,
		"--no-man-pages", "--no-header-files", "--strip-java-debug-attributes")

	read, write := io.Pipe()
	go func() { write.CloseWithError(writeImage(write, jre, jars)) }()
	engine, err := client.New(client.FromEnv)
	require.NoError(t, err)
	defer engine.Close()
	result, err := engine.ImageImport(ctx, client.ImageImportSource{Source: read, SourceName: "-"}, builtImage,
		client.ImageImportOptions{Changes: []string{`ENTRYPOINT ["/bin/bash", "/entrypoint.sh"]`}})
	require.NoError(t, err)
	defer result.Close()
	said, err := io.ReadAll(result)
	require.NoError(t, err)
	require.NotContains(t, string(said), "error")
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
	return string(out)
}

// writeImage writes the image's files as a tar.
func writeImage(w io.Writer, jre, jars string) error {
	out := &imageTar{tar.NewWriter(w)}
	const conf, data = "/etc/cassandra/cassandra.yaml", "/var/lib/cassandra"
	yaml, logback, command, err := cassandra.ImageFiles("/opt/cassandra/*", data, "/run/cassandra.yaml")
	if err != nil {
		return err
	}
	last := len(command) - 1
	entrypoint := fmt.Sprintf("cd %s\n{ echo \"$(<%s)\"; echo \"broadcast_rpc_address: "+
		"${CASSANDRA_BROADCAST_RPC_ADDRESS:-127.0.0.1}\"; } > /run/cassandra.yaml\n"+
		"exec /opt/java/bin/java '%s' -Xmx${MAX_HEAP_SIZE:-512M} -Dlogback.configurationFile=/etc/cassandra/logback.xml "+
		"$JVM_EXTRA_OPTS %s\n", data, conf, strings.Join(command[:last], "' '"), command[last])
	for _, dir := range []string{"tmp", "run", "var/lib/cassandra"} {
		if err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o1777}); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		conf: yaml, "/etc/cassandra/logback.xml": logback, "/entrypoint.sh": entrypoint,
		"/etc/passwd": "root:x:0:0:root:/:/bin/bash\n", "/etc/nsswitch.conf": "hosts: files dns\n",
	} {
		if err := out.text(name, text); err != nil {
			return err
		}
	}
	if err := out.tree(jre, "/opt/java"); err != nil {
		return err
	}
	if err := out.tree(jars, "/opt/cassandra"); err != nil {
		return err
	}
	libraries, err := sharedLibraries(jre)
	if err != nil {
		return err
	}
	for _, path := range append(libraries, "/bin/bash") {
		if err := out.file(path, path); err != nil {
			return err
		}
	}
	return out.Close()
}

var lddPath = regexp.MustCompile(`(?m)(/\S+) \(0x`)

// sharedLibraries are what ldd names for bash and each binary of the Java, and the
// stubs that jars load by name.
func sharedLibraries(jre string) ([]string, error) {
	binaries := []string{"/bin/bash", filepath.Join(jre, "bin", "java")}
	for _, pattern := range []string{"lib/*.so", "lib/server/*.so"} {
		found, err := filepath.Glob(filepath.Join(jre, pattern))
		if err != nil {
			return nil, err
		}
		binaries = append(binaries, found...)
	}
	paths := map[string]bool{}
	for _, binary := range binaries {
		// Desktop libraries want others that a server lacks; ldd then names the rest.
		out, _ := exec.Command("ldd", binary).CombinedOutput()
		for _, m := range lddPath.FindAllStringSubmatch(string(out), -1) {
			if !strings.HasPrefix(m[1], jre) {
				paths[m[1]] = true
			}
		}
	}
	var list []string
	for path := range paths {
		list = append(list, path)
		for _, stub := range []string{"libdl.so.2", "librt.so.1", "libpthread.so.0"} {
			beside := filepath.Join(filepath.Dir(path), stub)
			if _, err := os.Stat(beside); err == nil && filepath.Base(path) == "libc.so.6" && !paths[beside] {
				list = append(list, beside)
			}
		}
	}
	return list, nil
}
