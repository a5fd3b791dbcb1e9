package cassandra

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

// DefaultImage is what the container way runs, unless RXCQL_CASSANDRA_IMAGE names
// another one.
const DefaultImage = "cassandra:" + Version

// pullTimeout bounds the download of an image of some 150 MB.
const pullTimeout = 5 * time.Minute

func imageName(env func(string) string) string {
	if name := env("RXCQL_CASSANDRA_IMAGE"); name != "" {
		return name
	}
	return DefaultImage
}

// findImage gives the image if an engine answers and has it or can pull it.
func findImage(ctx context.Context, s *settings) (string, error) {
	image := imageName(os.Getenv)
	// testcontainers greets every program with a page about the engine.
	tclog.SetDefault(tclog.NewNoopLogger())
	if os.Getenv("TESTCONTAINERS_RYUK_DISABLED") == "" && !reaperImageThere(ctx) {
		// testcontainers reads this once, so it is set before anything of it runs.
		if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
			return "", err
		}
	}
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(tclog.NewNoopLogger()))
	if err != nil {
		return "", fmt.Errorf("no container engine answers (%w); start one, such as the Docker daemon, or set DOCKER_HOST", err)
	}
	defer provider.Close()
	if err := haveImage(ctx, provider.Client(), image, func() {
		s.progress("pulling image %s …", image)
	}); err != nil {
		return "", fmt.Errorf("a container engine answers, but it has no image %s and cannot pull it (%w); "+
			"load it into the engine or name another by RXCQL_CASSANDRA_IMAGE", image, err)
	}
	return image, nil
}

// haveImage pulls an image that is not there. It does not repeat a failed pull, for
// there is another way to a Cassandra.
func haveImage(ctx context.Context, engine client.APIClient, image string, pulling func()) error {
	if _, err := engine.ImageInspect(ctx, image); err == nil {
		return nil
	}
	pulling()
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	pull, err := engine.ImagePull(ctx, image, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	defer pull.Close()
	// The pull is done when its progress ends; whether it went well shows after.
	if _, err := io.Copy(io.Discard, pull); err != nil {
		return err
	}
	if _, err := engine.ImageInspect(ctx, image); err != nil {
		return err
	}
	return nil
}

// reaperImageThere reports whether testcontainers can get its reaper, which removes the containers
// of a killed program. It returns true if no engine answers at the default place: testcontainers
// may know a better place, and decides then.
func reaperImageThere(ctx context.Context) bool {
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return true
	}
	defer func() { _ = engine.Close() }()
	probe, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := engine.Ping(probe, client.PingOptions{}); err != nil {
		return true
	}
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return haveImage(ctx, engine, testcontainers.ReaperDefaultImage, func() {}) == nil //nolint:staticcheck // no other way to ask for the name
}
