package source_test

import (
	"context"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/cqltest"
	"github.com/rxcql/rxcql/source"
)

// counting is a sink that stops the pipeline with its second page, when the third has
// been asked for.
type counting struct {
	ahead    chan struct{}
	pipeline *rxcql.Pipeline
	stage    *rxcql.Stage
	pages    int
}

func (*counting) Info() rxcql.SinkInfo { return rxcql.SinkInfo{} }

func (*counting) Check(context.Context) error { return nil }

func (c *counting) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[int32], error) {
	c.stage = r.SinkStage("Counting")
	return c, nil
}

func (c *counting) Write(_ context.Context, p *flow.Page[int32]) error {
	if c.pages++; c.pages == 2 {
		<-c.ahead
		time.Sleep(50 * time.Millisecond) // the third is here by then, most likely; else the test shows less
		c.pipeline.Stop()
	}
	c.stage.CountWritten(len(p.Rows))
	return nil
}

func (*counting) Flush(context.Context) error { return nil }

func (*counting) Close() error { return nil }

func TestStopDeliversThePagesThatHaveBeenReadAhead(t *testing.T) {
	s := &cqltest.Script{Statement: scripted}
	for i := range int32(100) {
		s.Pages = append(s.Pages, []int32{i, i, i})
	}
	to := &counting{ahead: make(chan struct{})}
	s.Fail = func(page int) message.Message {
		if page == 2 {
			close(to.ahead)
		}
		return nil
	}
	session := s.Start(t)
	var err error
	to.pipeline, err = rxcql.New(source.Query[int32](session, scripted), rxcql.Sink[int32](to))
	require.NoError(t, err)
	rep, err := to.pipeline.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, "Stop", rep.EndedBy)
	require.Less(t, rep.Pages, int64(10))
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Equal(t, rep.ReadRows, rep.Written)
	require.Zero(t, rep.BytesInFlight)
}
