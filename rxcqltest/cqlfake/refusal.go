package cqlfake

import (
	"fmt"

	"github.com/datastax/go-cassandra-native-protocol/message"
)

// refusal carries an error of the server out of the depth of a statement; see caught.
type refusal struct{ err message.Error }

// refuse ends the statement that is being read or run with an error of the server.
func refuse(err message.Error) { panic(refusal{err}) }

// caught calls fn and returns the error with which it refused, or nil.
func caught(fn func()) (err message.Error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case refusal:
			err = r.err
		default:
			panic(r)
		}
	}()
	fn()
	return nil
}

// invalid is what Cassandra answers to a statement or a value that is wrong.
func invalid(format string, args ...any) message.Error {
	return &message.Invalid{ErrorMessage: fmt.Sprintf(format, args...)}
}

func syntaxError(format string, args ...any) message.Error {
	return &message.SyntaxError{ErrorMessage: fmt.Sprintf(format, args...)}
}

// unknown is the answer to what a real server may well know. It is of a class that
// nobody sends again.
func unknown(format string, args ...any) message.Error {
	return invalid("cqlfake does not know %s: test this against a real server", fmt.Sprintf(format, args...))
}
