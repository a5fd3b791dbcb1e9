package transfer

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// times is WithTimes in one run.
type times struct{ on bool }

func (c *copyConfig) newTimes(*prepared) *times { return &times{on: c.times} }

func (t *times) reading() []source.TableOption        { return nil }
func (t *times) writing(*mapping) []sink.TableOption   { return nil }
func (t *times) report(*CopyReport)                    {}
func (j *CopyJob) timed(context.Context, *prepared) error {
	if j.cfg.times {
		return errors.Join(rxcql.ErrConfig, errors.New("WithTimes is not there yet"))
	}
	return nil
}
