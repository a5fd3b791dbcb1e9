package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/gocql/gocql"
	"golang.org/x/time/rate"

	"github.com/rxcql/rxcql/source"
)

// devices limits what clients may bring into the windows of all: how many devices there are, and
// how many readings come of one and of all. A post beyond that is refused before anything of it is
// written, so the devices that are known go on.
//
// A name is known if it has sent in this hour or in the one before. So names that somebody makes up
// are forgotten in the end. The table devices has them too: a name is acknowledged when it is
// there, so an instance that starts knows whom the ones before it have let in. Each instance counts
// for itself: of the names that come to another one it learns when it starts.
type devices struct {
	cfg  config
	each rate.Limit    // readings of a device, a second
	all  *rate.Limiter // readings of all

	mu    sync.Mutex
	hour  time.Time // of the latest post
	names map[string]*device
}

// device is one that is known.
type device struct {
	sent time.Time // the hour in which it sent last
	kept time.Time // the latest hour that the table has it for
	pace *rate.Limiter
}

const (
	// mostPerSecond is how many readings of a device are taken a second: two in one millisecond are
	// one.
	mostPerSecond = 1000
	// aloneOf is how many devices that send as much as they may are as much as all may send.
	aloneOf = 8
)

func newDevices(cfg config) *devices {
	burst := 4 * cfg.limits.lines
	// What comes within an overlap, and the burst before it, is what the tail has room for. A quarter
	// is left for another instance, and for polls that take long.
	inOverlap := max(cfg.limits.remembered*3/4-burst, burst)
	all := rate.Limit(float64(inOverlap) / cfg.overlap().Seconds())
	return &devices{
		cfg: cfg, each: min(mostPerSecond, all/aloneOf), all: rate.NewLimiter(all, burst), names: map[string]*device{},
	}
}

// newDevice is one that has not sent yet. It may send a whole post at once.
func (d *devices) newDevice() *device {
	return &device{pace: rate.NewLimiter(d.each, d.cfg.limits.lines)}
}

// load learns the names that are in the table.
func (d *devices) load(ctx context.Context, session *gocql.Session, keyspace string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hour = time.Now().UTC().Truncate(hour)
	for _, at := range []time.Time{d.hour, d.hour.Add(-hour)} {
		rows := source.Query[Device](session, "SELECT hour, device FROM "+keyspace+".devices WHERE hour = ?",
			source.Bind(at), source.Consistency(d.cfg.consistency))
		for row, err := range rows.All(ctx) {
			if err != nil {
				return fmt.Errorf("the names of devices: %w", err)
			}
			if len(d.names) >= d.cfg.devices {
				break // an instance with another limit has let them in
			}
			if d.names[row.Device] == nil {
				known := d.newDevice()
				known.sent, known.kept = at, at
				d.names[row.Device] = known
			}
		}
	}
	return nil
}

// refusal is why a post is refused.
type refusal struct {
	reason string // as the metric has it
	after  string // as Retry-After has it
	answer answer
}

// admit says why a post is refused, or takes note of its devices: fresh are those that have to be
// written into the table. A post that is refused takes nothing from what its devices may send.
// arrived never goes back.
func (d *devices) admit(readings []Reading, arrived time.Time) (fresh []Device, refused *refusal) {
	var names []string // in the order of the post
	count := map[string]int{}
	for i := range readings {
		name := readings[i].Device
		if count[name]++; count[name] == 1 {
			names = append(names, name)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget(arrived.Truncate(hour))
	var more, fast []string
	now := time.Now()
	room := d.cfg.devices - len(d.names)
	for _, name := range names {
		switch known := d.names[name]; {
		case known == nil && room <= 0:
			more = append(more, name)
		case known == nil:
			room--
		case known.pace.TokensAt(now) < float64(count[name]):
			fast = append(fast, name)
		}
	}
	switch {
	case len(more) > 0:
		return nil, &refusal{reason: "devices", after: "600", answer: answer{Devices: told(more), Error: fmt.Sprintf(
			"too many devices: %d have a place (--devices), and these would be more. Nothing is written; "+
				"send the readings of the others again without them. A device loses its place when it has not sent for two hours at most; "+
				"the operator can raise --devices", d.cfg.devices)}}
	case len(fast) > 0:
		return nil, &refusal{reason: "device_rate", after: "5", answer: answer{Devices: told(fast), Error: fmt.Sprintf(
			"too many readings of these devices: %.0f a second of each are taken. Nothing is written; "+
				"send the readings of others again without them, and theirs later", math.Ceil(float64(d.each)))}}
	case d.all.TokensAt(now) < float64(len(readings)):
		return nil, &refusal{reason: "rate", after: "1", answer: answer{Error: fmt.Sprintf(
			"too many readings: %.0f a second are taken of all devices together. Nothing is written; send it again later. "+
				"The operator can raise that by a shorter --write-deadline", math.Ceil(float64(d.all.Limit())))}}
	}
	d.all.AllowN(now, len(readings))
	for _, name := range names {
		known := d.names[name]
		if known == nil {
			known = d.newDevice()
			d.names[strings.Clone(name)] = known
		}
		known.pace.AllowN(now, count[name])
		if known.sent = d.hour; known.kept.Before(d.hour) {
			fresh = append(fresh, Device{Hour: d.hour, Device: name})
		}
	}
	return fresh, nil
}

// forget forgets those that have not sent in this hour or the one before. The caller holds mu.
func (d *devices) forget(now time.Time) {
	if !d.hour.Before(now) {
		return
	}
	d.hour = now
	for name, known := range d.names {
		if known.sent.Before(now.Add(-hour)) {
			delete(d.names, name)
		}
	}
}

// kept notes that the table has these.
func (d *devices) kept(fresh []Device) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, row := range fresh {
		if known := d.names[row.Device]; known != nil && known.kept.Before(row.Hour) {
			known.kept = row.Hour
		}
	}
}

// known is how many there are.
func (d *devices) known() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return float64(len(d.names))
}

// told are the first of some names.
func told(names []string) []string { return names[:min(len(names), mostTold)] }
