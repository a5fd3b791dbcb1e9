// Package rxcqltest has suites that test stores and sinks of your own from your tests:
// TestCheckpointStore, TestDeadLetters and TestSink. Each calls your implementation as the engine
// does, and checks the rules that the engine relies on. The comments of the interfaces in package
// rxcql state these rules: CheckpointStore, DeadLetterStore and Sink.
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
