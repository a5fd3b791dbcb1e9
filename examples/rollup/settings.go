package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gocql/gocql"
)

// setting is what all instances of a keyspace must have the same, as a row of the table settings.
type setting struct {
	name   string // of its flag too
	value  time.Duration
	remedy string // what to do instead, where the table has another value: that is %v
}

// settings are those of a configuration. With windows of another length the job would be refused
// again and again while readings are taken for it, and results of both lengths would replace each
// other in the table. A tail that reads back less than the writes of another instance may take
// would miss some of them that are acknowledged, without a word.
func settings(cfg config) []setting {
	return []setting{
		{"window", cfg.window, "the windows of this keyspace are %v long; give that, or another --keyspace"},
		{"write-deadline", cfg.writeDeadline, "the instances of this keyspace have %v; give that, or stop all of them, " +
			"delete the row write-deadline in the table settings, and start them with another"},
	}
}

// keepSettings notes the settings of a keyspace, the first time, and refuses others. All that are
// other are told at once.
func keepSettings(ctx context.Context, session *gocql.Session, keyspace string, cfg config) error {
	var errs []error
	for _, s := range settings(cfg) {
		was := map[string]any{}
		isFirst, err := session.Query("INSERT INTO "+keyspace+".settings (name, value) VALUES (?, ?) IF NOT EXISTS", s.name, s.value.String()).
			WithContext(ctx).MapScanCAS(was)
		switch {
		case err != nil:
			return fmt.Errorf("--%s in %s.settings: %w", s.name, keyspace, err)
		case !isFirst && was["value"] != s.value.String():
			errs = append(errs, fmt.Errorf("--%s %v on keyspace %s: "+s.remedy, s.name, s.value, keyspace, was["value"]))
		}
	}
	return errors.Join(errs...)
}
