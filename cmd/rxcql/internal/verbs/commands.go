package verbs

import "github.com/spf13/cobra"

// commands are the verbs, in the order of the help.
func (s *shared) commands() []*cobra.Command {
	return []*cobra.Command{s.copy(), s.unload(), s.load(), s.count(), s.diff(), s.repair()}
}
