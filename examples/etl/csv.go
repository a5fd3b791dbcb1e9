package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The columns that a file must have; others are left alone.
const (
	columnDate        = "date"
	columnDelay       = "delay"
	columnDistance    = "distance"
	columnOrigin      = "origin"
	columnDestination = "destination"
)

var columnNames = []string{columnDate, columnDelay, columnDistance, columnOrigin, columnDestination}

// openCSV reads the header and leaves the rows to f.rows.
func (f *flightFile) openCSV(text io.Reader) error {
	buffered := bufio.NewReader(text)
	if begins(buffered, "\ufeff") { // spreadsheets begin a file with a byte order mark
		_, _ = buffered.Discard(len("\ufeff"))
	}
	in := csv.NewReader(buffered)
	in.ReuseRecord = true
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the file is empty; it must begin with a line of column names: %s", strings.Join(columnNames, ","))
	}
	if err != nil {
		return f.csvError(in, "", err)
	}
	places := make([]int, len(columnNames)) // in the order of columnNames
	for k, name := range columnNames {
		i := slices.Index(header, name)
		if i < 0 {
			return f.csvError(in, "", fmt.Errorf("no column %q among %.200q; it must have %s",
				name, header, strings.Join(columnNames, ",")))
		}
		places[k] = i
	}
	f.rows = func(yield func(Flight, error) bool) {
		for seq := int64(1); ; seq++ {
			record, err := in.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var flight Flight
			if err != nil {
				err = f.csvError(in, "", err)
			} else {
				flight, err = f.csvFlight(in, record, places)
			}
			flight.Seq = seq
			if !yield(flight, err) || err != nil {
				return
			}
		}
	}
	return nil
}

// csvFlight takes the columns of a record; the first that is wrong is told.
func (f *flightFile) csvFlight(in *csv.Reader, record []string, places []int) (Flight, error) {
	var flight Flight
	for k, name := range columnNames {
		var err error
		switch text := record[places[k]]; name {
		case columnDate:
			flight.Date, err = parseDate(text)
		case columnDelay:
			flight.Delay, err = parseNumber(text)
		case columnDistance:
			flight.Distance, err = parseNumber(text)
		case columnOrigin:
			flight.Origin, err = parseAirport(text)
		case columnDestination:
			flight.Destination, err = parseAirport(text)
		}
		if err != nil {
			return flight, f.csvError(in, name, err)
		}
	}
	return flight, nil
}

// csvError adds the place to an error. The reader knows the line of what it
// could not read; otherwise it is the line of the record read last.
func (f *flightFile) csvError(in *csv.Reader, column string, err error) error {
	e := &fileError{File: f.name, Column: column, Err: err}
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		e.Unit, e.At, e.Err = "line", int64(parse.Line), parse.Err
	case column != "":
		line, _ := in.FieldPos(0)
		e.Unit, e.At = "line", int64(line)
	}
	return e
}

func parseDate(text string) (time.Time, error) {
	date, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return date, fmt.Errorf("%.40q is not a time such as 2001-01-31T23:59:00Z", text)
	}
	return date.UTC(), nil
}

func parseNumber(text string) (int32, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not a whole number of 32 bits", text)
	}
	return int32(n), nil
}

func parseAirport(text string) (string, error) {
	if text == "" {
		return "", errors.New("the airport is empty")
	}
	if !utf8.ValidString(text) {
		return "", fmt.Errorf("%.40q is not UTF-8", text)
	}
	return text, nil
}
