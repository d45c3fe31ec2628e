package message

import "testing"

// usualHeader is what a fetch of Fields gives of a customer's mail.
const usualHeader = "Return-Path: <yamada@cust.example>\r\nMessage-ID: <20261102.b@cust.example>\r\nDate: Mon, 02 Nov 2026 09:20:00 +0900\r\n" +
	"From: =?UTF-8?B?5bGx55Sw6YOo6ZW3?= <yamada@cust.example>\r\nTo: Sato <rep1@our.example>, =?ISO-2022-JP?B?GyRCOjRGIxsoQg==?= <rep2@our.example>\r\n" +
	"Subject: =?ISO-2022-JP?B?GyRCOCtAUSRON28bKEI=?= 2\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n\r\n"

func BenchmarkReadHeader(b *testing.B) {
	raw := []byte(usualHeader)
	b.ReportAllocs()
	r := &Reader{}
	for b.Loop() {
		r.ReadHeader(raw)
	}
}
