package source_test

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// Of a poll a minute one is held up for 55 s, so that the next begins in time, or for 110 s.
func TestNothingIsLateByAnOutageWhereATableIsSeldomAsked(t *testing.T) {
	for _, outage := range []time.Duration{55 * time.Second, 110 * time.Second} {
		t.Run(outage.String(), func(t *testing.T) {
			inTrouble(t, 2*time.Minute, []source.TailOption{source.PollEvery(time.Minute)}, func(t *testing.T, f *troubled) {
				time.Sleep(20*time.Minute + 30*time.Second) // polls are at whole minutes
				f.down.Store(true)
				happened := time.Now().Add(31 * time.Second)
				time.Sleep(30*time.Second + outage)
				f.down.Store(false)
				time.Sleep(12 * time.Second)
				f.write(happened)
				time.Sleep(2 * time.Minute)
				f.nothingLate(t)
			})
		})
	}
}

// A sink is slow for a while, 20 s a page, or servers are, 10 s a shard, and then they are away.
func TestNothingIsLateByAnOutageOfWhatWasSlowBefore(t *testing.T) {
	for _, what := range []string{"sink", "servers"} {
		for away := 15 * time.Second; away <= 30*time.Second; away += 5 * time.Second {
			t.Run(what+" "+away.String(), func(t *testing.T) {
				inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
					time.Sleep(time.Minute)
					if what == "sink" {
						f.stall.Store(int64(20 * time.Second))
					} else {
						f.slowed(func(r *cqlfake.Request) time.Duration {
							if ofTable(r) && !f.down.Load() {
								return 10 * time.Second
							}
							return 0
						})
					}
					time.Sleep(15 * time.Minute)
					f.nextPage()
					f.stall.Store(0)
					f.down.Store(true)
					if what == "sink" { // it ends to stall
						time.Sleep(20 * time.Second)
					}
					happened := time.Now().Add(time.Second)
					time.Sleep(away)
					f.slowed(nil)
					f.down.Store(false)
					f.nextPage()
					time.Sleep(1500 * time.Millisecond)
					f.write(happened)
					time.Sleep(time.Minute)
					f.nothingLate(t)
				})
			})
		}
	}
}

func TestNothingIsLateByAnOutageOfAnyKind(t *testing.T) {
	requests := map[string]func(r *cqlfake.Request) bool{"clock": ofClock, "table": ofTable, "any": ofAny}
	type outage struct {
		how   string
		fails func() *cqlfake.Reply
		lasts time.Duration
	}
	busy := func() *cqlfake.Reply { return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"}) }
	for what, match := range requests {
		for _, o := range []outage{
			{"busy", busy, 7 * time.Second},
			{"busy", busy, 12 * time.Second},
			{"busy", busy, 45 * time.Second},
			{"drop", cqlfake.Drop, 7 * time.Second},
			{"drop", cqlfake.Drop, 45 * time.Second},
			{"silence", cqlfake.Silence, 12 * time.Second},
		} {
			t.Run(what+" "+o.how+" "+o.lasts.String(), func(t *testing.T) {
				inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
					f.match, f.fails = match, o.fails
					time.Sleep(time.Minute)
					f.nothingLateByAnOutage(t, o.lasts)
				})
			})
		}
	}
}

// A tail has just begun, or goes on from its checkpoint.
func TestNothingIsLateByAnOutageInTheFirstPolls(t *testing.T) {
	for _, goesOn := range []bool{false, true} {
		for _, after := range []time.Duration{0, 1500 * time.Millisecond, 5500 * time.Millisecond, 12 * time.Second} {
			t.Run(strconv.FormatBool(goesOn)+" "+after.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newTroubled(t)
					var run []rxcql.Option
					if goesOn {
						run = append(run, rxcql.WithCheckpoint(checkpoint.File(filepath.Join(t.TempDir(), "cp")), "job"))
						stop := f.start(t, 10*time.Second, nil, run...)
						time.Sleep(time.Minute)
						stop()
						f.mark = flow.Watermark{}
						time.Sleep(10 * time.Minute)
					}
					f.match = ofAny
					defer f.start(t, 10*time.Second, nil, run...)()
					time.Sleep(after)
					f.nothingLateByAnOutage(t, 45*time.Second)
				})
			})
		}
	}
}

// A page without rows that says nothing of its part may be dropped by what stands before EventTime.
func TestNothingIsLateByAnOutageWhateverStandsBeforeEventTime(t *testing.T) {
	for name, before := range map[string]func(in rxcql.Stream[arrival]) rxcql.Stream[arrival]{
		"Filter": func(in rxcql.Stream[arrival]) rxcql.Stream[arrival] {
			return operators.Filter(in, func(arrival) bool { return true })
		},
		"Map": func(in rxcql.Stream[arrival]) rxcql.Stream[arrival] {
			return operators.Map(in, func(row arrival) (arrival, error) { return row, nil })
		},
		"MapConcurrent": func(in rxcql.Stream[arrival]) rxcql.Stream[arrival] {
			return operators.MapConcurrent(in, 3, func(_ context.Context, row arrival) (arrival, error) { return row, nil })
		},
		"Buffer": func(in rxcql.Stream[arrival]) rxcql.Stream[arrival] {
			return operators.Buffer(in, 3, rxcql.OverflowBlock)
		},
		"Merge": func(in rxcql.Stream[arrival]) rxcql.Stream[arrival] {
			return operators.Merge(in, source.Of[arrival]())
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newTroubled(t)
				f.before = before
				defer f.start(t, 10*time.Second, nil)()
				time.Sleep(time.Minute)
				f.nothingLateByAnOutage(t, 45*time.Second)
			})
		})
	}
}

// Servers are away, and slow for a minute when they are back: as they are while they catch up. That
// is four polls, and no time in which a writer can count on an answer.
func TestNothingIsLateByServersThatAreSlowWhenTheyAreBack(t *testing.T) {
	for _, takes := range []time.Duration{0, 5500 * time.Millisecond} {
		for _, what := range []string{"servers", "sink"} {
			t.Run(what+" "+takes.String(), func(t *testing.T) {
				inTrouble(t, time.Minute, nil, func(t *testing.T, f *troubled) {
					f.match = ofAny
					time.Sleep(10 * time.Minute)
					f.down.Store(true)
					happened := time.Now().Add(time.Second)
					time.Sleep(45 * time.Second)
					if what == "sink" {
						f.stall.Store(int64(takes))
					} else {
						f.slowed(func(r *cqlfake.Request) time.Duration {
							if ofTable(r) && shardOf(r) == 1 {
								return takes
							}
							return 0
						})
					}
					f.down.Store(false)
					time.Sleep(55 * time.Second)
					f.write(happened)
					time.Sleep(5 * time.Minute)
					f.nothingLate(t)
				})
			})
		}
	}
}
