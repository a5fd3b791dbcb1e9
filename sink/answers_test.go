package sink_test

// answer is an error of the server with this code.
type answer int

func (a answer) Code() int     { return int(a) }
func (answer) Message() string { return "an answer" }
func (a answer) Error() string { return "an answer" }

const (
	serverError   answer = 0x0000
	unavailable   answer = 0x1000
	overloaded    answer = 0x1001
	bootstrapping answer = 0x1002
	writeTimeout  answer = 0x1100
	readTimeout   answer = 0x1200
	casUnknown    answer = 0x1700
)
