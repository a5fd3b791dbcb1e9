package operators

// ending calls run, and then has an operator give up what it keeps, with the error that run ended
// with: also where run does not return, since a function of the user's has left the goroutine by
// runtime.Goexit. What the operator keeps would stay charged to the budget otherwise.
func ending(run func() error, giveUp func(err error)) error {
	err := errGone // stays if run does not return
	defer func() { giveUp(err) }()
	err = run()
	return err
}
