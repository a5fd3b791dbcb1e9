package flow_test

import (
	"testing"
	"testing/synctest"

	"github.com/rxcql/rxcql/flow"
)

func TestZZPeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, pg = 1024 * kib, 8 * kib
		z := newZipped(t, limit)
		defer z.end()
		for range 1000 { // rows of the second input that a filter drops: it has been granted more
			z.page(z.inB, z.two, pg).Settle()
		}
		// an operator before the first input keeps pages, all the room there is
		keep := z.behind.Account("BatchA", false).Reservation()
		release := make(chan struct{})
		go func() {
			for i := 0; ; i++ {
				p, err := z.one.Input().Reserve(z.inA, pg)
				if err != nil {
					t.Log("one", err)
					return
				}
				p.Resize(pg)
				keep.Take(p, pg)
				if keep.Bytes() >= limit-2*pg {
					t.Log("A keeps", keep.Bytes()/kib)
					keep.Emit()
					z.a.Waits()
					z.step.Starve()
					<-release
					keep.Settle()
					z.a.GoesOn()
					p.Settle()
					return
				}
				p.Settle()
			}
		}()
		synctest.Wait()
		t.Log("used before B reads", z.b.Usage(), keep.Bytes()/kib)
		kept := z.b.Account("BatchB", false).Reservation()
		go func() {
			for {
				p, err := z.two.Input().Reserve(z.inB, pg)
				if err != nil {
					t.Log("two", err)
					return
				}
				p.Resize(pg)
				kept.Take(p, pg)
				p.Settle()
			}
		}()
		synctest.Wait()
		u := z.b.Usage()
		t.Logf("%+v A=%d B=%d; bound %d, peak %d KiB", u, keep.Bytes()/kib, kept.Bytes()/kib, (u.Budget+int64(u.PeakFetches)*u.LargestPage)/kib, u.PeakBytes/kib)
		if u.PeakBytes > u.Budget+int64(u.PeakFetches)*u.LargestPage {
			t.Error("promise broken")
		}
		close(release)
		synctest.Wait()
		_ = flow.IsEnd
		kept.Release()
		synctest.Wait()
	})
}
