package cassandra

import "strconv"

// daemonArgs is what java is called with to run one node.
func daemonArgs(j java, s *settings, classpath, conf, dir string) []string {
	args := gcFlags(s)
	args = append(args,
		"-Djdk.attach.allowAttachSelf=true",
		"-Dio.netty.tryReflectionSetAccessible=true",
		"-Djava.net.preferIPv4Stack=true",
		"-Djava.io.tmpdir="+dir,
		"-Dcassandra.config=file://"+conf,
		"-Dcassandra.storagedir="+dir,
		"-Dlogback.configurationFile="+dir+"/logback.xml",
		"-Dcassandra-foreground=yes",
		// No other cluster can meet this one, so waiting for gossip and for the
		// ring to settle only costs time.
		"-Dcassandra.skip_wait_for_gossip_to_settle=0",
		"-Dcassandra.ring_delay_ms=100",
		"-Dcassandra.superuser_setup_delay_ms=0",
		"-Dcassandra.auth_bcrypt_gensalt_log2_rounds=4",
	)
	if !s.restarts && !s.production {
		args = append(args, "-Dcassandra.test.flush_local_schema_changes=false") // see Restarts
	}
	// JMX stays off: it would listen on the 127.0.0.1 that all instances share.
	if j.major >= 17 {
		for _, p := range addExports {
			args = append(args, "--add-exports="+p+"=ALL-UNNAMED")
		}
		for _, p := range addOpens {
			args = append(args, "--add-opens="+p+"=ALL-UNNAMED")
		}
	} else {
		for _, p := range addExports11 {
			args = append(args, "--add-exports="+p+"=ALL-UNNAMED")
		}
		for _, p := range addOpens11 {
			args = append(args, "--add-opens="+p+"=ALL-UNNAMED")
		}
	}
	return append(args, "-cp", classpath, "org.apache.cassandra.service.CassandraDaemon")
}

// gcFlags is heap, collector and compiler: small and fast to start by default, as
// a server in use has them with Production.
func gcFlags(s *settings) []string {
	mb := strconv.Itoa(s.heapMB) + "m"
	if s.production {
		return []string{"-Xms" + mb, "-Xmx" + mb, "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=300",
			"-XX:+ParallelRefProcEnabled", "-XX:+UseStringDeduplication"}
	}
	return []string{"-Xmx" + mb, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k",
		"-XX:-UsePerfData", "-Xshare:auto"}
}

// What Cassandra's own jvm17-server.options opens of the JDK.
var addExports = []string{
	"java.base/jdk.internal.misc", "java.base/jdk.internal.ref", "java.base/sun.nio.ch",
	"java.base/java.lang.ref", "java.management.rmi/com.sun.jmx.remote.internal.rmi",
	"java.rmi/sun.rmi.registry", "java.rmi/sun.rmi.server", "java.sql/java.sql",
	"jdk.unsupported/sun.misc",
}

var addOpens = []string{
	"java.base/java.lang.module", "java.base/jdk.internal.loader", "java.base/jdk.internal.ref",
	"java.base/jdk.internal.reflect", "java.base/jdk.internal.math", "java.base/jdk.internal.module",
	"java.base/jdk.internal.util.jar", "java.base/sun.nio.ch", "java.base/java.io", "java.base/java.nio",
	"java.base/java.util.concurrent", "java.base/java.util", "java.base/java.util.concurrent.atomic",
	"java.base/java.lang", "java.base/java.math", "java.base/java.lang.reflect", "java.base/java.net",
	"jdk.management/com.sun.management.internal",
}

// What jvm11-server.options opens.
var addExports11 = []string{
	"java.base/jdk.internal.misc", "java.base/jdk.internal.ref", "java.base/sun.nio.ch",
	"java.management.rmi/com.sun.jmx.remote.internal.rmi", "java.rmi/sun.rmi.registry",
	"java.rmi/sun.rmi.server", "java.sql/java.sql",
}

var addOpens11 = []string{
	"java.base/java.lang.module", "java.base/jdk.internal.loader", "java.base/jdk.internal.ref",
	"java.base/jdk.internal.reflect", "java.base/jdk.internal.math", "java.base/jdk.internal.module",
	"java.base/jdk.internal.util.jar", "java.base/sun.nio.ch", "java.base/java.io", "java.base/java.nio",
	"java.base/java.util.concurrent", "java.base/java.util", "java.base/java.util.concurrent.atomic",
	"java.base/java.lang", "java.base/java.lang.reflect", "java.base/java.net",
	"jdk.management/com.sun.management.internal",
}
