package sink_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
)

// around is a sink of a user's that embeds another one.
type around struct{ rxcql.Sink[event] }

func TestASinkThatEmbedsAnotherIsDescribedLikeIt(t *testing.T) {
	job := rxcql.WithCheckpoint(&jobtest.Store{}, "job")
	file := around{sink.CSV[event](filepath.Join(t.TempDir(), "out.csv"))}
	once := around{sink.Each(func(context.Context, event) error { return nil })}
	same := func(in rxcql.Stream[event]) rxcql.Stream[event] { return in }
	for name, to := range map[string]rxcql.Sink[event]{
		"itself":       file,
		"in a Tee":     sink.Tee[event](file, twos()),
		"in a Through": sink.Through(same, sink.Tee[event](file, twos())),
	} {
		_, err := rxcql.New(newLongJob(1).parts.Stream(), to, job)
		if name == "itself" {
			require.NoError(t, err, "a file may be part of a job")
			continue
		}
		require.ErrorIs(t, err, rxcql.ErrNotResumable, name)
		require.ErrorContains(t, err, "holds rows from page to page", name)
	}
	_, err := rxcql.New(newLongJob(1).parts.Stream(), rxcql.Sink[event](once), job)
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "give Idempotent()")
	_, err = rxcql.New(sequence[event](), rxcql.Sink[event](around{sink.Each[event](nil)}))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "the function is nil")
}

func TestASinkThatSaysNothingCannotBePartOfAJobWhereverItIs(t *testing.T) {
	quiet := func() rxcql.Sink[event] { return newBranch("", nil) }
	same := func(in rxcql.Stream[event]) rxcql.Stream[event] { return in }
	for name, to := range map[string]rxcql.Sink[event]{
		"itself": quiet(), "in a Tee": sink.Tee(quiet(), quiet()), "in a Through": sink.Through(same, quiet()),
		"in both": sink.Tee(sink.Through(same, sink.Tee(quiet()))),
	} {
		_, err := rxcql.New(newLongJob(1).parts.Stream(), to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.ErrorIs(t, err, rxcql.ErrNotResumable, name)
		require.ErrorContains(t, err, "sink *sink_test.branch does not say", name)
	}
}
