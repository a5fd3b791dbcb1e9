package faults_test

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
)

// chance fails a share of the requests, in all the ways there are.
type chance struct {
	percent  int
	harmless bool // only in ways that leave a write undone, and say so

	mu     sync.Mutex
	random *rand.Rand
	failed map[string]int // requests that have to be repeated, by the way they failed
	other  map[string]int // those that were delayed, halved, or prepared anew by the driver
}

func newChance(seed uint64) *chance {
	return &chance{
		percent: 1 + int(seed%20), random: rand.New(rand.NewPCG(seed, 77)),
		failed: map[string]int{}, other: map[string]int{},
	}
}

func (c *chance) fails() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, each := range c.failed {
		n += each
	}
	return n
}

func (c *chance) decide(r request) fate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.random.IntN(100) >= c.percent {
		return fate{}
	}
	name, f := c.pick(r)
	switch {
	case r.op == primitive.OpCodePrepare: // gocql prepares for itself too, and hides some
		c.other["prepare: "+name]++
	case f.delay > 0, f.empty != nil, name == "forgotten", name == "too large", name == "":
		c.other[name]++
	default:
		c.failed[name]++
	}
	return f
}

const one = primitive.ConsistencyLevelOne

func (c *chance) pick(r request) (string, fate) {
	if c.harmless {
		switch c.random.IntN(3) {
		case 0:
			return "unavailable", fate{stop: true, answer: &message.Unavailable{Consistency: one, Required: 1}}
		case 1:
			return "bootstrapping", fate{stop: true, answer: &message.IsBootstrapping{}}
		}
		return "slow", fate{delay: time.Duration(c.random.IntN(20)) * time.Millisecond}
	}
	// A write that is answered with a failure may have been applied all the same.
	undone := !r.read() && c.random.IntN(2) == 0
	switch c.random.IntN(12) {
	case 0:
		return "unavailable", fate{stop: true, answer: &message.Unavailable{Consistency: one, Required: 1}}
	case 1:
		return "bootstrapping", fate{stop: true, answer: &message.IsBootstrapping{}}
	case 2:
		return "overloaded", fate{stop: undone, answer: &message.Overloaded{}}
	case 3:
		return "server error", fate{stop: undone, answer: &message.ServerError{}}
	case 4:
		return "timeout", fate{stop: undone, answer: timedOut(r)}
	case 5:
		return "failure", fate{stop: undone, answer: broken(r)}
	case 6:
		return "cut", fate{stop: undone, cut: true}
	case 7:
		return "cut within the answer", fate{half: true}
	case 8:
		if c.random.IntN(4) == 0 { // each costs the driver's timeout
			return "silent", fate{stop: undone, silent: true}
		}
		fallthrough
	case 9:
		return "slow", fate{delay: time.Duration(1+c.random.IntN(50)) * time.Millisecond}
	case 10:
		if r.op == primitive.OpCodeExecute {
			return "forgotten", fate{stop: true, answer: &message.Unprepared{Id: id(r.raw)}}
		}
	}
	switch state := paging(r); {
	case state != nil:
		return "empty page", fate{empty: state}
	case r.many():
		return "too large", fate{stop: true, answer: &message.Invalid{ErrorMessage: "Batch too large"}}
	}
	return "", fate{}
}

func timedOut(r request) message.Message {
	switch {
	case r.read():
		return &message.ReadTimeout{Consistency: one, BlockFor: 1}
	case r.counts():
		return &message.WriteTimeout{Consistency: one, BlockFor: 1, WriteType: primitive.WriteTypeCounter}
	case r.many():
		return &message.WriteTimeout{Consistency: one, BlockFor: 1, WriteType: primitive.WriteTypeUnloggedBatch}
	}
	return &message.WriteTimeout{Consistency: one, BlockFor: 1, WriteType: primitive.WriteTypeSimple}
}

func broken(r request) message.Message {
	if r.read() {
		return &message.ReadFailure{Consistency: one, BlockFor: 1, NumFailures: 1}
	}
	return &message.WriteFailure{Consistency: one, BlockFor: 1, NumFailures: 1, WriteType: primitive.WriteTypeSimple}
}

// id is the prepared id that a request names.
func id(raw *frame.RawFrame) []byte {
	return raw.Body[2 : 2+int(raw.Body[0])<<8+int(raw.Body[1])]
}

// paging is the page state of a read, nil for the first page.
func paging(r request) []byte {
	if !r.read() || r.op != primitive.OpCodeExecute {
		return nil
	}
	decoded, err := frame.NewRawCodec().ConvertFromRawFrame(r.raw)
	if err != nil {
		return nil
	}
	execute, ok := decoded.Body.Message.(*message.Execute)
	if !ok || execute.Options == nil || len(execute.Options.PagingState) == 0 {
		return nil
	}
	return execute.Options.PagingState
}
