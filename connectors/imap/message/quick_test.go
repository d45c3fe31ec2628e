package message

import "testing"

func TestQuickWaysAgreeWithTheLongOnes(t *testing.T) {
	quick := 0
	for _, text := range []string{
		"Mon, 02 Nov 2026 09:20:00 +0900", "2 Nov 2026 09:20:00 +0900", "Mon, 2 Nov 2026 09:20:00 +0900 (JST)", "Mon, 02 Nov 2026 09:20:00 -0730",
		"Mon, 02 Nov 2026 23:59:59 +0000 (GMT)", "mon, 02 NOV 2026 09:20:00 +0900", "Mon, 02 Nov 2026 09:20:00 +2359", "Sun, 29 Feb 2032 00:00:00 +0100",
		// Those that are not quite in the standard's form, or not possible.
		"Mar, 2 Nov 2026 09:20:00 +0900", "Mon, 31 Nov 2026 09:20:00 +0900", "Mon, 02 Nov 2026 24:20:00 +0900", "Mon, 02 Nov 2026 09:20:60 +0900",
		"Mon, 02 Nov 2026 9:20:00.5 +0900", "Mon, 02 Nov 2026 09:20:00 +0960", "Mon, 02 Nov 2026 09:20:00 +2500", "Mon, 02 Nov 2026 09:20:00 (+0900)",
		"Mon, 02 Nov 2026 09:20:00 +0900 (a (b))", "Mon, 02 Nov 26 09:20:00 +0900", "Mon, 02 Nov 0026 09:20:00 +0900", "Mon,  2 Nov 2026 09:20:00 +0900", "", "(", "Mon,",
	} {
		t1, ok := standardDate(text)
		if t2, state := looseDate(text); ok && (!t1.Equal(t2) || state != DateValid) {
			t.Errorf("%q: %v, in the long way %v (%s)", text, t1, t2, state)
		}
		if ok {
			quick++
		}
	}
	if quick < 8 {
		t.Errorf("only %d standard dates are read quickly", quick)
	}
	quick = 0
	for _, text := range []string{"<a@b>", "<a.b+c=d$@x.example>", "<a@b> ", "<a b@c>", "<a@b@c>", "<@b>", "<a@>", "<a>", "<a@b><c@d>", "<<a@b>", "<あ@b>", "a@b"} {
		id, ok := soleID(text)
		found := messageID.FindAllStringSubmatch(unspace(text), -1)
		if ok && (len(found) != 1 || found[0][1] != id) {
			t.Errorf("%q: %q, in the long way %q", text, id, found)
		}
		if ok {
			quick++
		}
	}
	if quick < 2 {
		t.Errorf("only %d ids are read quickly", quick)
	}
	for _, text := range []string{"A4GNL", "5bGx55Sw6YOo6ZW3", "5bGx55Sw6YOo6ZW3\r\n", "YQ==", "YQ", "YQ==YQ==", "Y Q = =", "Y", "", "%%"} {
		got, _ := unbase64(text)
		want, _ := unbase64(text + " ") // a blank is passed over, in the long way
		if string(got) != string(want) {
			t.Errorf("%q: %q, in the long way %q", text, got, want)
		}
	}
}
