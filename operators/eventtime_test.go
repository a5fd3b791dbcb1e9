package operators_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
)

// saidAt is what a page says of its part, in seconds; 0 for nothing.
type saidAt struct {
	part, rows, mark int
	last             bool
}

// marksOf runs a stream, and returns what its pages say.
func marksOf(t *testing.T, s rxcql.Stream[timed], opts ...rxcql.Option) (all []saidAt) {
	t.Helper()
	_, err := spying(s, func(p *flow.Page[timed]) {
		at := saidAt{part: p.Range, rows: len(p.Rows), last: p.Last}
		if p.Watermark.Known() {
			at.mark = int(p.Watermark.Time().Unix())
		}
		all = append(all, at)
	}).Count(t.Context(), opts...)
	require.NoError(t, err)
	return all
}

func TestTheWatermarkOfAPartIsItsLatestTimeLessOutOfOrderness(t *testing.T) {
	s := operators.EventTime(script("A",
		happening{part: 0, at: []int{20, 30, 25}},
		happening{part: 1, at: []int{100}},
		happening{part: 0},
		happening{part: 0, at: []int{22}},
		happening{part: 2},
		happening{part: 0, at: []int{40}, last: true},
		happening{part: 1, last: true},
		happening{part: 2, last: true},
	), happened, operators.OutOfOrderness(5*time.Second))
	require.Equal(t, []saidAt{
		{0, 3, 25, false},
		{1, 1, 95, false},
		{0, 0, 25, false}, // a page without rows says it too
		{0, 1, 25, false}, // it does not go back
		{0, 1, 35, true},
		{1, 0, 95, true},
		{2, 0, 0, true}, // a part without rows has no event time
	}, marksOf(t, s))
}

func TestEventTimeReplacesTheWatermarksBeforeIt(t *testing.T) {
	s := operators.EventTime(script("A", happening{part: 0, mark: 90}, happening{part: 0, at: []int{30}, mark: 99, last: true}), happened)
	require.Equal(t, []saidAt{{0, 1, 30, true}}, marksOf(t, s))

	var before []flow.Watermark
	in := spying(script("A", happening{part: 0, at: []int{30}, mark: 99, last: true}), func(*flow.Page[timed]) {})
	looks := rxcql.Lift(in, rxcql.StageInfo{Name: "looks", OneToOne: true}, func(_ *rxcql.Stage, out flow.Observer[timed]) flow.Observer[timed] {
		return afterwards{out, func(p *flow.Page[timed]) { before = append(before, p.Watermark) }}
	})
	marksOf(t, operators.EventTime(looks, happened))
	require.Equal(t, []flow.Watermark{markAt(99)}, before, "the page is as it was when Next returns: a Tee hands it to others")
}

// afterwards looks at pages when they have been handed on.
type afterwards struct {
	flow.Observer[timed]
	look func(p *flow.Page[timed])
}

func (a afterwards) Next(ctx context.Context, p *flow.Page[timed]) error {
	err := a.Observer.Next(ctx, p)
	a.look(p)
	return err
}

func TestPartsOfAllInputsHaveWatermarksOfTheirOwn(t *testing.T) {
	a := script("A", happening{part: 0, at: []int{10}}, happening{part: 0, last: true})
	b := script("B", happening{part: 0, at: []int{50}}, happening{part: 0, last: true})
	h := newHeard()
	hear(t, operators.EventTime(operators.Merge(a, b), happened), &listening{heard: h})
	require.Equal(t, map[partName]flow.Watermark{{"A", 0}: markAt(10), {"B", 0}: markAt(50)}, h.marks)
	require.Equal(t, flow.Forever, h.clock.Now())
}

func TestARowWhoseTimeCannotBeUsedIsARowErrorAndMovesNoWatermark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errNone := errors.New("no time")
		now := time.Now()
		at := map[int]func() (time.Time, error){
			1: func() (time.Time, error) { return now, nil },
			2: func() (time.Time, error) { return time.Time{}, nil },
			3: func() (time.Time, error) { return now.Add(time.Minute + time.Second), nil },
			4: func() (time.Time, error) { return now.Add(time.Minute), nil },
			5: func() (time.Time, error) { return time.Unix(1<<50, 0), nil },
			6: func() (time.Time, error) { return now, errNone },
			7: func() (time.Time, error) { return time.Unix(-1<<50, 0), nil },
		}
		timeOf := func(n int) (time.Time, error) { return at[n]() }
		for _, c := range []struct {
			row  int
			says string
		}{
			{2, "zero time.Time"},
			{3, "further ahead of now than MaxAhead (1m0s)"},
			{5, "278,000 years"},
			{6, "no time"},
			{7, "278,000 years"},
		} {
			s := operators.EventTime(rxcqltest.NewScript[int]().Page(1, c.row, 1).Stream(), timeOf, operators.MaxAhead(time.Minute))
			_, err := s.Count(t.Context())
			require.ErrorContains(t, err, c.says)
			var row *rxcql.RowError
			require.ErrorAs(t, err, &row)
			require.Equal(t, 1, row.Row)
			failedIn(t, "EventTime", err)
		}
		letters := &jobtest.Letters{}
		rows := rxcqltest.NewScript[int]().Page(1, 2, 3, 1, 4, 5).Page(6, 7).Page(1).Stream()
		var kept []int
		var marks []flow.Watermark
		s := rxcql.Lift(operators.EventTime(rows, timeOf, operators.MaxAhead(time.Minute)), rxcql.StageInfo{Name: "looks"},
			func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
				return &seesInts{out, func(p *flow.Page[int]) {
					kept = append(kept, p.Rows...)
					marks = append(marks, p.Watermark)
				}}
			})
		rep, err := s.ForEach(t.Context(), func(int) error { return nil }, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
		require.NoError(t, err)
		require.Equal(t, []int{1, 1, 4, 1}, kept)
		ahead := flow.WatermarkAt(now.Add(time.Minute))
		require.Equal(t, []flow.Watermark{ahead, ahead, ahead}, marks)
		require.EqualValues(t, 5, rep.DeadLettered)
		require.Len(t, letters.All, 5)
	})
}

type seesInts struct {
	flow.Observer[int]
	see func(p *flow.Page[int])
}

func (s *seesInts) Next(ctx context.Context, p *flow.Page[int]) error {
	s.see(p)
	return s.Observer.Next(ctx, p)
}

// Rows of devices whose clocks are right are then ahead by as much as the clock was set back. They
// are set aside, and not lost; and no row that was taken is taken back: event time stays where it
// is.
func TestAClockThatIsSetBackMovesNoWatermarkBackAndRefusesWhatIsAheadOfIt(t *testing.T) {
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	hour := int(time.Hour / time.Second)
	timeOf := func(n int) (time.Time, error) { return noon.Add(time.Duration(n) * time.Second), nil }
	clock := []int{0, -hour, -hour, 4} // when each page comes
	wall := func() time.Time {
		now, _ := timeOf(clock[0])
		clock = clock[1:]
		return now
	}
	letters := &jobtest.Letters{}
	var kept []int
	var marks []int
	rows := rxcqltest.NewScript[int]().
		Page(0, 60, 61).       // 61 is too far ahead
		Page(1, -hour+60, 2).  // 1 and 2 are of a minute that has been; they are ahead of the clock now
		Page(-hour, -hour+61). // of a device whose clock was set back too
		Page(3, 4, 65).Stream()
	s := rxcql.Lift(operators.EventTime(rows, timeOf, operators.MaxAhead(time.Minute), operators.WallClock(wall)), rxcql.StageInfo{Name: "looks"},
		func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
			return &seesInts{out, func(p *flow.Page[int]) {
				kept = append(kept, p.Rows...)
				marks = append(marks, int(p.Watermark.Time().Sub(noon)/time.Second))
			}}
		})
	rep, err := rxcql.Run(t.Context(), s, &gather[int]{}, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	require.Equal(t, []int{0, 60, -hour + 60, -hour, 3, 4}, kept)
	require.EqualValues(t, 5, rep.DeadLettered)
	require.Equal(t, []int{60, 60, 60, 60}, marks[:4])
}

func TestWithoutMaxAheadATimeInTheFutureIsOneLikeOthers(t *testing.T) {
	s := operators.EventTime(script("A", happening{part: 0, at: []int{1 << 40}, last: true}), happened)
	require.Equal(t, []saidAt{{0, 1, 1 << 40, true}}, marksOf(t, s))
}

func TestRowsOfSeveralPartsInOnePageHaveNoEventTime(t *testing.T) {
	mixed := unbatched(operators.Batch(script("A", happening{part: 0, at: []int{1}}, happening{part: 1, at: []int{2}}), operators.BatchRows(2)))
	_, err := operators.EventTime(mixed, happened).Count(t.Context())
	require.ErrorContains(t, err, "put EventTime before the operator that mixes them")
	failedIn(t, "EventTime", err)
}

func TestWhatIsWrongWithOptionsOfEventTimeIsReportedByNew(t *testing.T) {
	s := operators.EventTime(count(1, 1), nil, operators.OutOfOrderness(-1), operators.MaxAhead(-time.Second), operators.IdleAfter(-time.Hour), nil)
	_, err := s.Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, says := range []string{"EventTime", "the function at is nil", "OutOfOrderness(-1ns)", "MaxAhead(-1s)", "IdleAfter(-1h0m0s)", "an option is nil"} {
		require.ErrorContains(t, err, says)
	}
}
