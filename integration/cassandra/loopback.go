package cassandra

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// ports are what each node of a cluster listens on; the driver and the nodes take
// it for granted that all nodes use the same ones.
type ports struct{ native, storage int }

// loopback finds free addresses of this machine.
type loopback struct {
	// wide says that all of 127.0.0.0/8 answers, as on Linux. Elsewhere only
	// 127.0.0.1 does, and several instances can only differ in their ports.
	wide   bool
	listen func(addr string) (net.Listener, error)
}

func systemLoopback() loopback {
	return loopback{wide: wideLoopback, listen: func(addr string) (net.Listener, error) {
		return net.Listen("tcp4", addr)
	}}
}

// free gives n neighbouring addresses and two ports that are free on all of them.
// The address is drawn from millions, so that programs which look at the same
// time, before either has bound its ports, do not meet.
func (l loopback) free(n int) ([]string, ports, error) {
	if !l.wide {
		return l.freePorts(n)
	}
	var last error
	for range 100 {
		var addrs []string
		first := 1 + rand.IntN(254-n)
		second, third := 1+rand.IntN(254), 1+rand.IntN(254)
		for i := range n {
			addrs = append(addrs, fmt.Sprintf("127.%d.%d.%d", second, third, first+i))
		}
		// A program that listens on all addresses takes a port from each of them,
		// hence other ports after some addresses.
		shift := 10 * rand.IntN(100)
		p := ports{native: 9042 + shift, storage: 7000 + shift}
		if last = l.allFree(addrs, p); last == nil {
			return addrs, p, nil
		}
	}
	return nil, ports{}, fmt.Errorf("no free loopback address in 100 tries, the last: %w", last)
}

func (l loopback) allFree(addrs []string, p ports) error {
	for _, addr := range addrs {
		for _, port := range []int{p.native, p.storage} {
			ln, err := l.listen(net.JoinHostPort(addr, strconv.Itoa(port)))
			if err != nil {
				return err
			}
			if err := ln.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// freePorts asks the system for two free ports of 127.0.0.1.
func (l loopback) freePorts(n int) ([]string, ports, error) {
	if n > 1 {
		return nil, ports{}, errors.New("this system has 127.0.0.1 only, but the driver tells nodes apart by " +
			"IP address, so several nodes need Linux (or CASSANDRA_HOSTS)")
	}
	var got []int
	for range 2 {
		ln, err := l.listen("127.0.0.1:0")
		if err != nil {
			return nil, ports{}, fmt.Errorf("find a free port: %w", err)
		}
		defer ln.Close() // held until both are known, or the second could be the first
		got = append(got, ln.Addr().(*net.TCPAddr).Port)
	}
	return []string{"127.0.0.1"}, ports{native: got[0], storage: got[1]}, nil
}
