package driver

import (
	"context"

	"github.com/gocql/gocql"
)

// maxPeerReads bounds how often the peers are asked for.
const maxPeerReads = 8

// peersPage holds the peers of any cluster. They must come in one page: the
// next one would be another node's.
const peersPage = 50_000

// peers calls each with what nodes say of the others: a column of the peers table,
// and the 16 bytes of the host id that it is of. The table is a view of the node
// that answers, which is another one each time, and leaves that node out. So it is
// read until every node that answered is known, which is once in a cluster of one
// and three times or so in others, where system.local has been read of another.
func (s *Session) peers(ctx context.Context, column string, known func(id string) bool, each func(id string, cell []byte) error) error {
	for table, reads := "system.peers_v2", 0; ; reads++ {
		answered, alone, err := s.peersOfOne(ctx, table, column, each)
		if Classify(err) == Invalid && table == "system.peers_v2" { // before Cassandra 4, and ScyllaDB
			table = "system.peers"
			answered, alone, err = s.peersOfOne(ctx, table, column, each)
		}
		if err != nil || alone || known(answered) || reads == maxPeerReads {
			return err
		}
	}
}

// peersOfOne calls each with what one node says of the others, and returns that
// node's id as the driver has it (another one, if told not to look for nodes), and
// whether it knows no others.
func (s *Session) peersOfOne(ctx context.Context, table, column string, each func(id string, cell []byte) error) (answered string, alone bool, err error) {
	p, err := s.Fetch(ctx, local("SELECT host_id, "+column+" FROM "+table), peersPage, nil)
	if err != nil {
		return "", false, err
	}
	cells := make([][]byte, 2)
	for p.Scan(cells) {
		if cells[0] == nil {
			continue
		}
		if err := each(string(cells[0]), cells[1]); err != nil {
			return "", false, err
		}
	}
	return hostKey(p.Host()), p.Rows() == 0, p.Err()
}

// hostKey turns a host id in text into the 16 bytes that the tables have.
func hostKey(id string) string {
	uuid, err := gocql.ParseUUID(id)
	if err != nil {
		return id
	}
	return string(uuid.Bytes())
}
