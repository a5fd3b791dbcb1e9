package cassandra

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	keystoreFile  = "keystore.p12"
	storePassword = "rxcqltest"
)

// makeCertificate writes a key pair as PKCS12 and its certificate as PEM into dir,
// by the JDK's keytool. The certificate signs itself, names all of addrs and is
// valid for a week, so it is also the CA to verify the servers with.
func makeCertificate(ctx context.Context, j java, dir string, addrs []string) (keystore, caFile string, err error) {
	keystore, caFile = filepath.Join(dir, keystoreFile), filepath.Join(dir, "ca.pem")
	names := "SAN=dns:localhost,ip:127.0.0.1"
	for _, addr := range addrs {
		names += ",ip:" + addr
	}
	store := []string{"-alias", "node", "-keystore", keystore, "-storetype", "PKCS12", "-storepass", storePassword}
	if err := keytool(ctx, j, append([]string{"-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1",
		"-sigalg", "SHA256withECDSA", "-validity", "7", "-dname", "CN=rxcql test", "-ext", names}, store...)); err != nil {
		return "", "", err
	}
	if err := keytool(ctx, j, append([]string{"-exportcert", "-rfc", "-file", caFile}, store...)); err != nil {
		return "", "", err
	}
	return keystore, caFile, os.Chmod(keystore, 0o600)
}

func keytool(ctx context.Context, j java, args []string) error {
	out, err := exec.CommandContext(ctx, j.tool("keytool"), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("keytool %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}
