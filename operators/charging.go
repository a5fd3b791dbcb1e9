package operators

import (
	"reflect"
	"strings"
	"unsafe"

	"github.com/rxcql/rxcql/flow"
)

// charging charges the budget with what an operator keeps that are not rows of pages.
type charging struct {
	account     *flow.Account
	reservation *flow.Reservation // bytes, no receipts
	bytes       int64
}

func newCharging(account *flow.Account) *charging {
	return &charging{account: account, reservation: account.Reservation()}
}

// to notes that so many bytes are kept now. What has come since the last time was made of the page:
// its bytes are charged to the account, and no longer to the page. Call it once a page, or with nil
// where no page is at hand.
func (c *charging) to(bytes int64, page *flow.Reservation) {
	switch grown := bytes - c.bytes; {
	case grown > 0:
		c.reservation.TakeBytes(page, grown)
	case grown < 0:
		gone := c.account.Reservation()
		gone.Take(c.reservation, -grown)
		gone.Settle()
	}
	c.bytes = bytes
}

// keepKey returns a function that makes a key fit to be kept: a string, of whatever type, is
// copied, since it lies in a chunk with text of other rows.
func keepKey[K comparable]() func(K) K {
	if reflect.TypeFor[K]().Kind() != reflect.String {
		return func(key K) K { return key }
	}
	return func(key K) K {
		text := (*string)(unsafe.Pointer(&key)) //nolint:gosec // K is a kind of string
		*text = strings.Clone(*text)
		return key
	}
}
