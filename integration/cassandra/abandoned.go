package cassandra

import (
	"context"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/moby/moby/client"
)

// The labels of a container name the machine and the run folder of its owner.
const (
	labelHost = "rxcql.cassandra.host"
	labelRun  = "rxcql.cassandra.run"
)

// sweepContainers removes the containers of programs of this machine that were killed before they
// could do so. The reaper of testcontainers does that sooner, if its image is available. What
// cannot be removed is left to the next sweep.
func sweepContainers(ctx context.Context, engine client.APIClient, root string) {
	host, err := os.Hostname()
	if err != nil {
		return
	}
	list, err := engine.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", labelHost+"="+host),
	})
	if err != nil {
		return
	}
	for _, ctr := range list.Items {
		run := ctr.Labels[labelRun]
		if filepath.Dir(run) == root && abandoned(run) {
			_, _ = engine.ContainerRemove(ctx, ctr.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		}
	}
}

// abandoned reports whether nobody holds the lock of a run folder. If the folder is gone, its owner
// has ended or it was swept.
func abandoned(run string) bool {
	if _, err := os.Stat(run + ".lock"); err != nil {
		return os.IsNotExist(err)
	}
	lock := flock.New(run + ".lock")
	defer lock.Close()
	free, err := lock.TryLock()
	return err == nil && free
}
