package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	mostDevice = 128   // bytes of a device's name
	mostValue  = 1e100 // sums of these stay finite
	mostTold   = 20    // wrong lines in an answer
)

// badLine says what is wrong with a line of a POST.
type badLine struct {
	Line  int    `json:"line"`
	Error string `json:"error"`
}

// errTooManyLines ends the reading of a body.
var errTooManyLines = errors.New("too many lines")

// readLines reads readings, one JSON object a line. Empty lines are nothing. It returns the lines
// that are wrong, the first mostTold of them. The error is that of the body, or errTooManyLines.
func readLines(body io.Reader, now time.Time, cfg config) (readings []Reading, wrong []badLine, err error) {
	lines := bufio.NewScanner(body)
	room := cfg.limits.line + len("\n")
	lines.Buffer(make([]byte, 0, min(4<<10, room)), room)
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if len(readings) == cfg.limits.lines {
			return nil, wrong, errTooManyLines
		}
		r, err := readLine(line, now.Add(cfg.maxAhead))
		if err != nil {
			if wrong = append(wrong, badLine{n, err.Error()}); len(wrong) == mostTold {
				return nil, wrong, nil
			}
			continue
		}
		readings = append(readings, r)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, append(wrong, badLine{n + 1, fmt.Sprintf("the line is longer than %d bytes", cfg.limits.line)}), nil
	}
	return readings, wrong, lines.Err()
}

// given is a line as it comes.
type given struct {
	Device string    `json:"device"`
	At     time.Time `json:"at"`
	Value  *float64  `json:"value"`
}

// readLine reads a line. Its error is for the client whose line it is.
func readLine(line []byte, latest time.Time) (Reading, error) {
	var g given
	if err := json.Unmarshal(line, &g, json.RejectUnknownMembers(true)); err != nil {
		return Reading{}, explained(err)
	}
	r := Reading{Device: g.Device, At: g.At.UTC().Truncate(time.Millisecond), Value: math.NaN()}
	if g.Value != nil {
		r.Value = *g.Value
	}
	switch err := r.wrong(); {
	case err != nil:
		return Reading{}, err
	case g.At.After(latest):
		return Reading{}, fmt.Errorf("at: %s is later than is accepted now, %s: the device's clock is ahead, "+
			"and would make the readings of all others late", g.At.Format(time.RFC3339), latest.UTC().Format(time.RFC3339))
	}
	return r, nil
}

// wrong says what no reading may be, at any time.
func (r *Reading) wrong() error {
	switch {
	case r.Device == "" || len(r.Device) > mostDevice || strings.ContainsFunc(r.Device, unicode.IsControl):
		return fmt.Errorf("device: give a name of 1 to %d bytes, without control characters", mostDevice)
	case math.IsNaN(r.Value):
		return errors.New("value: give a number")
	case math.Abs(r.Value) > mostValue:
		return fmt.Errorf("value: give one from %g to %g", -mostValue, mostValue)
	case r.At.Year() < 1970 || r.At.Year() > 9999: // later ones are not in RFC 3339
		return errors.New(`at: give a time since 1970, such as "2026-11-26T14:00:00.25Z"`)
	}
	return nil
}

// wanted says what a field must be.
var wanted = map[string]string{
	"/device": "device: give a text",
	"/at":     `at: give a time as RFC 3339 has it, such as "2026-11-26T14:00:00.25Z"`,
	"/value":  "value: give a number",
}

// explained is an error of JSON without the words for Go programmers.
func explained(err error) error {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("not a JSON object: %w, at byte %d", cmp.Or(syntax.Err, err), syntax.ByteOffset)
	case errors.As(err, &semantic) && errors.Is(semantic.Err, json.ErrUnknownName):
		return errors.New(`a field that is not known: give "device", "at" and "value"`)
	case errors.As(err, &semantic):
		if text := wanted[string(semantic.JSONPointer)]; text != "" {
			return errors.New(text)
		}
	}
	return errors.New(`not a reading: give {"device":"…","at":"…","value":…}`)
}
