// Package rxcqltest has what tests of streams need.
//
// To test a pipeline, or an operator, step by step: a Script is a source whose pages,
// errors and delays come in the order in which you say them, and a Probe is a sink that takes
// rows when you ask for them, and fails the test if others come. Both work in a bubble of
// testing/synctest, where a delay takes no time.
//
//	script := rxcqltest.NewScript[int]().Page(1, 2).Delay(time.Minute).Page(3)
//	probe := rxcqltest.Observe(t, myOperator(script.Stream()))
//	probe.ExpectRows(1, 2)
//	probe.ExpectNothing(59 * time.Second)
//	probe.ExpectRows(3)
//	probe.ExpectComplete()
//
// To test an implementation of your own there are suites: TestSource, TestOperator, TestSink,
// TestCheckpointStore and TestDeadLetters. Each calls your implementation the way the engine
// does and checks the rules that the engine relies on. The rules are stated in the comments of
// the interfaces: Sink, CheckpointStore and DeadLetterStore in package rxcql; and, for sources and
// operators, Observer, Page, Position, Reservation and Receipt in package flow.
//
//	func TestMyStore(t *testing.T) {
//		rxcqltest.TestCheckpointStore(t, func(t testing.TB) rxcqltest.CheckpointPlace {
//			folder := t.TempDir()
//			return rxcqltest.CheckpointPlace{
//				Store: func() rxcql.CheckpointStore { return mystore.New(folder) },
//			}
//		})
//	}
//
// Each rule is a subtest whose name is a sentence. It gets an empty place of its own: a folder, a
// table, a bucket. The function that makes the place is called in the subtest, and may call its
// Parallel. If a field of a place is nil, the rules that need it are skipped, and the subtests say
// why.
//
// A suite waits for events. Its time limit of several minutes only ends what hangs. Run the suites
// with the race detector too: several rules use an implementation from several goroutines.
package rxcqltest
