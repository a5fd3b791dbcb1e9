package sink

import "encoding/binary"

// cut takes values with their lengths from the front of bytes (CQL protocol v4, section 6).
type cut struct {
	rest []byte
	bad  bool
}

func (c *cut) count() int {
	if len(c.rest) < 4 {
		c.bad = true
		return 0
	}
	n := int(int32(binary.BigEndian.Uint32(c.rest)))
	c.rest = c.rest[4:]
	if n < 0 || n > len(c.rest)/4 { // each element has a length at least
		c.bad = true
		return 0
	}
	return n
}

// value returns the next value, nil for null, and if there is none.
func (c *cut) value() []byte {
	if len(c.rest) < 4 {
		c.bad = true
		return nil
	}
	n := int(int32(binary.BigEndian.Uint32(c.rest)))
	c.rest = c.rest[4:]
	if n < 0 {
		return nil
	}
	if n > len(c.rest) {
		c.bad = true
		return nil
	}
	v := c.rest[:n:n]
	c.rest = c.rest[n:]
	return v
}

func (c *cut) valueIf(there bool) []byte {
	if !there {
		return nil
	}
	return c.value()
}
