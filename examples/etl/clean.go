package main

// possible reports whether a flight's figures can be right. It refuses:
//
//   - a flight to where it began;
//   - a flight of no distance;
//   - one that arrived before it was due to leave: earlier than its distance takes at 500 miles an
//     hour and half an hour on the ground. Of the 200,000 three are so (96 miles, an hour early);
//     in the larger file some arrived 18 hours early.
//
// Long delays stay. The longest, 28 hours, is of a flight that left the next day. Dropping those
// would flatter the worst routes, which are what is asked for.
func possible(f Flight) bool {
	return f.Origin != f.Destination &&
		f.Distance > 0 &&
		-int64(f.Delay) <= 30+int64(f.Distance)*60/500
}
