package driver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// current returns cql with a comment behind its first word that names the state
// of the schema. gocql keeps what it has prepared by the text, for as long as the
// session lives, and never asks again by itself; only running the statement shows
// it that the server has forgotten it. A text that no earlier schema had cannot
// be answered from before.
//
// The texts are as many as the schema has states while they are asked for, so
// neither gocql's cache nor the server's is flooded.
func (s *Session) current(ctx context.Context, cql string) (string, error) {
	version, err := s.schemaVersion(ctx)
	if err != nil {
		return "", err
	}
	return commented(cql, "schema "+version), nil
}

// schemaVersion is a name of the schemas that the nodes have, all of them: a node
// that prepares the statement may lag behind the one that says which schema it has,
// and would answer with an old description under a new name. The nodes need not
// agree, so one that is down holds nothing up. Of what a node says of another that
// one may have more by now, never less.
func (s *Session) schemaVersion(ctx context.Context) (string, error) {
	versions := make(map[string]string) // by host id
	note := func(id string, version []byte) error {
		if _, known := versions[id]; !known { // what a node says of itself comes first
			versions[id] = string(version)
		}
		return nil
	}
	err := s.Each(ctx, local("SELECT host_id, schema_version FROM system.local"), func(_ string, cells [][]byte) error {
		return note(string(cells[0]), cells[1])
	})
	if err == nil {
		err = s.peers(ctx, "schema_version", func(id string) bool { _, known := versions[id]; return known }, note)
	}
	if err != nil {
		return "", fmt.Errorf("reading the version of the schema: %w", err)
	}
	nodes := make([]string, 0, len(versions))
	for id, version := range versions {
		nodes = append(nodes, id+version)
	}
	slices.Sort(nodes)
	hash := sha256.Sum256([]byte(strings.Join(nodes, "\n")))
	return hex.EncodeToString(hash[:12]), nil
}
