package engine

import (
	"testing"
	"time"
)

// Since the law is as it is now, and Parliament moved nothing, it gives the Cabinet Office's list.
func TestHolidaysByLawAreTheListed(t *testing.T) {
	for year := 2022; year <= holidays().end.Time().Year(); year++ {
		byLaw := holidaysByLaw(year)
		for d := DateOf(year, time.January, 1); d <= DateOf(year, time.December, 31); d++ {
			if byLaw[d] != holidays().days[d] {
				t.Errorf("%v: a holiday by law %v, in the list %v", d, byLaw[d], holidays().days[d])
			}
		}
	}
}

// Days after the list, as almanacs have them.
func TestHolidaysAfterTheList(t *testing.T) {
	for day, want := range map[string]bool{
		"2028-03-20": true,  // 春分の日
		"2030-09-23": true,  // 秋分の日
		"2032-09-20": true,  // 敬老の日
		"2032-09-21": true,  // 国民の休日, between it and 秋分の日
		"2032-09-22": true,  // 秋分の日
		"2032-09-23": false, // a working Thursday
		"2030-05-06": true,  // 振替休日: 05-05 is a Sunday
		"2033-05-06": false, // the 3rd is a Tuesday
		"2031-05-06": true,  // 振替休日 of Sunday the 4th, after the 5th
		"2099-11-23": true,
		"2028-12-25": false,
	} {
		d, err := ParseDate(day)
		if err != nil {
			t.Fatal(err)
		}
		if d.holiday() != want {
			t.Errorf("%s: holiday %v, want %v", day, d.holiday(), want)
		}
	}
}

func TestCalendarWarning(t *testing.T) {
	business, calendar := Points{clock: clock{business: true}}, Points{}
	end := holidays().end
	for _, test := range []struct {
		p    *Points
		asOf Date
		warn bool
	}{{&business, end - 366, false}, {&business, end - 365, true}, {&business, end + 100, true}, {&calendar, end, false}} {
		if got := test.p.CalendarWarning(test.asOf) != ""; got != test.warn {
			t.Errorf("%v, business days %v: a warning %v, want %v", test.asOf, test.p.clock.business, got, test.warn)
		}
	}
}
