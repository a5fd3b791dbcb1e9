package transfer

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
)

// candidate is a line of the file that the second phase of a Diff reads: a row that has differed,
// and how it was when it was read last.
type candidate struct {
	Key    [][]byte `json:"k"`
	Static bool     `json:"s,omitempty"`
	Left   string   `json:"l,omitempty"` // hashes, see scanned
	Right  string   `json:"r,omitempty"`
	Unsure bool     `json:"u,omitempty"` // it has not been seen to differ
}

// scanCounts are what the first phase of a Diff has found, over all its runs.
type scanCounts struct {
	SourceRows int64 `json:"source_rows"`
	TargetRows int64 `json:"target_rows"`
	Candidates int64 `json:"candidates"` // that were seen to differ
	Differing  int64 `json:"differing_ranges"`
	Unread     int64 `json:"unread_parts"` // of tables, lines of unreadName
}

// sift makes of the file of the first phase what the second one reads: the candidates, each once.
// It also writes what goes on as it is: the sums of ranges, and what could not be read.
func sift(ctx context.Context, f folder, from string) (counts scanCounts, err error) {
	var sums [sumRanges]pageSums
	repeated := map[string]bool{} // keys of partitions whose static columns may be there twice
	err = eachLine(ctx, f.file(from), func(l scanned) error {
		if l.Sums != nil {
			if l.Sums.Range < 0 || l.Sums.Range >= sumRanges {
				return fmt.Errorf("there is no range %d", l.Sums.Range)
			}
			s := &sums[l.Sums.Range]
			s.LeftRows, s.Left = s.LeftRows+l.Sums.LeftRows, s.Left+l.Sums.Left
			s.RightRows, s.Right = s.RightRows+l.Sums.RightRows, s.Right+l.Sums.Right
		}
		if l.Repeated {
			repeated[keyText(l.Key)] = false
		}
		return nil
	})
	if err != nil {
		return counts, err
	}
	err = f.replace(candidatesName(1), func(w *bufio.Writer) error {
		return eachLine(ctx, f.file(from), func(l scanned) error {
			if l.Sums != nil || l.Unread != nil {
				return nil
			}
			if l.Static {
				key := keyText(l.Key)
				if written, known := repeated[key]; known {
					if written {
						return nil
					}
					repeated[key] = true
				}
			}
			if !l.Unsure {
				counts.Candidates++
			}
			return appendLine(w, candidate{Key: l.Key, Static: l.Static, Left: l.Left, Right: l.Right, Unsure: l.Unsure})
		})
	})
	if err != nil {
		return counts, err
	}
	if counts.Unread, err = siftUnread(ctx, f, from); err != nil {
		return counts, err
	}
	err = f.replace("ranges.ndjson", func(w *bufio.Writer) error {
		for i, s := range sums {
			if s.LeftRows+s.RightRows == 0 {
				continue
			}
			sum := RangeSum{
				Range: sumTokens(i), SourceRows: s.LeftRows, TargetRows: s.RightRows,
				SourceSum: fmt.Sprintf("%016x", s.Left), TargetSum: fmt.Sprintf("%016x", s.Right),
			}
			counts.SourceRows, counts.TargetRows = counts.SourceRows+s.LeftRows, counts.TargetRows+s.RightRows
			if !sum.Same() {
				counts.Differing++
			}
			if err := appendLine(w, sum); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, err
}

// keyText is a key as the key of a map.
func keyText(key [][]byte) string {
	var text []byte
	for _, cell := range key {
		text = append(strconv.AppendInt(text, int64(len(cell)), 10), ':')
		text = append(text, cell...)
	}
	return string(text)
}

// candidatesName is the file of what is read again for the n-th time, from 1.
func candidatesName(n int) string { return fmt.Sprintf("candidates-%d.ndjson", n) }

// rereadName is the file of what was found then.
func rereadName(n int) string { return fmt.Sprintf("reread-%d.ndjson", n) }
