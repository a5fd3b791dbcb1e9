package transfer

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ofShare is the name of a file that Unload has written with WithShard.
var ofShare = regexp.MustCompile(`^(.*)-([0-9]+)of([0-9]+)-[0-9]+\.`)

// allShares refuses the files of an unload in shares if those of one are missing. A share that has
// come to its end has a file, also if it has no rows.
func allShares(folder string, names []string) error {
	type unload struct {
		prefix string
		of     int
	}
	there := map[unload][]int{}
	for _, name := range names {
		found := ofShare.FindStringSubmatch(name)
		if found == nil {
			continue
		}
		share, err := strconv.Atoi(found[2])
		of, err2 := strconv.Atoi(found[3])
		if err == nil && err2 == nil && share < of {
			u := unload{found[1], of}
			there[u] = append(there[u], share)
		}
	}
	var errs []error
	for u, shares := range there {
		slices.Sort(shares)
		if shares = slices.Compact(shares); len(shares) == u.of {
			continue
		}
		missing := 0
		for missing < len(shares) && shares[missing] == missing {
			missing++
		}
		errs = append(errs, fmt.Errorf("%s has the files of %d of %d shares of an unload of %s, and none of share %d/%d: unload the others too, "+
			"or give a pattern of files to load what is there", folder, len(shares), u.of, u.prefix, missing, u.of))
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
