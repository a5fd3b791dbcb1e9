// Package rxcqltest has suites that test stores and sinks of your own, from your own
// tests: TestCheckpointStore, TestDeadLetters and TestSink. Each calls your
// implementation the way the engine does and checks the rules that the engine relies
// on. The rules are stated in the comments of the interfaces: CheckpointStore,
// DeadLetterStore and Sink in package rxcql.
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
// Each rule is a subtest whose name is a sentence. It gets a place of its own, which
// is empty: a folder, a table, a bucket. The function that makes one is called in the
// subtest, and may call its Parallel. Fields of a place that are nil leave out the
// rules that need them: those subtests are skipped and say why.
//
// A suite waits for events. Its time limit, minutes, only ends what hangs. Run it with
// the race detector too: several rules use an implementation from several goroutines.
package rxcqltest
