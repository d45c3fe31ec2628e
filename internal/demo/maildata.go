package demo

import (
	"fmt"
	"time"
)

// letters are the mails of the company's sales people of the last two months,
// with all that lies in a mailbox beside what people write to each other.
func letters(as []*account, rs []*rep, today time.Time) []letter {
	p := &post{today: today, accounts: as, reps: rs}
	p.talks([]talk{
		{account: 0, level: 2, subject: "基幹システム更新のお見積りについて", colleague: true, turns: []turn{
			{ago: 20, hour: 10, ours: true, text: "お世話になっております。お見積りをお送りします。"},
			{ago: 19, hour: 9, text: "ありがとうございます。保守費用の内訳を教えていただけますか。"},
			{ago: 19, hour: 11, ours: true, text: "内訳をお送りします。"},
			{ago: 19, hour: 16, text: "承知しました。社内で検討します。"},
			{ago: 6, hour: 10, text: "検討の結果、前向きに進めたいと考えています。次回の打ち合わせはいつがよろしいでしょうか。"},
		}},
		{account: 0, level: 3, subject: "ご訪問のお礼", turns: []turn{{ago: 5, hour: 18, ours: true, text: "本日はお時間をいただきありがとうございました。"}}},
		{account: 1, level: 1, subject: "生産管理の導入スケジュール", old: true, turns: []turn{
			{ago: 12, hour: 13, text: "導入までの期間はどのくらいでしょうか。"},
			{ago: 12, hour: 15, ours: true, text: "標準で四か月です。工程表をお送りします。"},
			{ago: 11, hour: 9, text: "工程表を受け取りました。"},
		}},
		{account: 1, level: 0, subject: "資料の件", old: true, turns: []turn{{ago: 3, hour: 11, text: "展示会で拝見した資料を送っていただけますか。"}, {ago: 3, hour: 12, ours: true, text: "お送りします。"}}},
		{account: 2, level: 1, subject: "保守契約の更新について", turns: []turn{
			{ago: 30, hour: 10, ours: true, text: "契約の更新時期が近づいております。"}, {ago: 27, hour: 14, text: "更新の方向で進めます。"},
		}},
		{account: 3, level: 0, subject: "近況のご連絡", turns: []turn{{ago: 40, hour: 10, ours: true, text: "ご無沙汰しております。"}}},
		{account: 4, level: 2, subject: "倉庫管理の刷新", turns: []turn{
			{ago: 15, hour: 10, ours: true, text: "提案書をお送りします。"},
			{ago: 14, hour: 17, text: "役員会で説明する予定です。他社の事例はありますか。"},
			{ago: 13, hour: 9, ours: true, text: "同業の事例を三つお送りします。"},
		}},
		{account: 6, level: 3, subject: "データ基盤の件", turns: []turn{
			{ago: 9, hour: 8, text: "来期の予算に入れたいと考えています。一度お話を伺えますか。"},
			{ago: 9, hour: 9, ours: true, text: "ありがとうございます。来週お伺いします。"},
		}},
		{account: 6, level: 0, subject: "打ち合わせ場所のご案内", turns: []turn{{ago: 2, hour: 15, text: "当日は二号館の受付にお越しください。"}}},
		{account: 7, level: 1, subject: "営業支援のデモ", turns: []turn{
			{ago: 25, hour: 10, ours: true, text: "デモの日程をご相談させてください。"}, {ago: 24, hour: 11, text: "来月でお願いします。"},
		}},
		{account: 8, level: 2, subject: "ご契約満了のご案内", turns: []turn{{ago: 50, hour: 10, ours: true, text: "満了日が近づいております。"}}},
		{account: 10, level: 1, subject: "Renewal of the support contract", colleague: true, turns: []turn{
			{ago: 16, hour: 10, ours: true, text: "Please find our offer for the renewal attached."},
			{ago: 15, hour: 18, text: "Thank you. Could you break down the price for the second year?"},
			{ago: 14, hour: 10, ours: true, text: "Here is the breakdown."},
			{ago: 8, hour: 19, text: "This looks fine. We will send the order this month."},
		}},
		{account: 11, level: 2, subject: "導入後の運用について", old: true, turns: []turn{
			{ago: 7, hour: 10, text: "運用担当者の教育はお願いできますか。"}, {ago: 7, hour: 14, ours: true, text: "はい、二日間の研修がございます。"},
		}},
		{account: 12, level: 0, subject: "お問い合わせの件", turns: []turn{{ago: 18, hour: 10, text: "製品の対応OSを教えてください。"}, {ago: 18, hour: 13, ours: true, text: "一覧をお送りします。"}}},
		{account: 14, level: 1, subject: "PoCの進め方", turns: []turn{
			{ago: 10, hour: 10, text: "PoCの範囲について相談させてください。"},
			{ago: 10, hour: 11, ours: true, text: "範囲の案をお送りします。"},
			{ago: 9, hour: 10, text: "この案で進めましょう。開始はいつになりますか。"},
			{ago: 4, hour: 10, ours: true, text: "来週の月曜から開始できます。"},
		}},
	})
	p.notices()
	return p.letters
}

// notices are what programs and strangers send.
func (p *post) notices() {
	in := func(account int) map[string]string { return map[string]string{p.us(account).address: inbox} }
	at := func(i int) string { return sites[i] + ".example" }

	// A meeting is proposed by the customer; of ours, one is accepted and one declined.
	p.put(mail{from: p.them(4, 1), to: []person{p.us(4)}, ago: 8, hour: 11, id: "invite@" + at(4), subject: "倉庫視察のご案内", boxes: in(4),
		kind: `multipart/alternative; boundary="b"`, body: meeting("REQUEST", "visit-4", p.today.AddDate(0, 0, 5), "NEEDS-ACTION", p.us(4).address)})
	p.put(mail{from: p.them(14, 2), to: []person{p.us(14)}, ago: 6, hour: 12, id: "accept@" + at(14), subject: "Accepted: PoC キックオフ", boxes: in(14),
		kind: `multipart/alternative; boundary="b"`, body: meeting("REPLY", "kickoff-14", p.today.AddDate(0, 0, 3), "ACCEPTED", p.them(14, 2).address)})
	p.put(mail{from: p.them(12, 1), to: []person{p.us(12)}, ago: 5, hour: 12, id: "decline@" + at(12), subject: "Declined: 製品説明会", boxes: in(12),
		kind: `multipart/alternative; boundary="b"`, body: meeting("REPLY", "session-12", p.today.AddDate(0, 0, 2), "DECLINED", p.them(12, 1).address)})

	// A mail of ours comes back: the address is no longer right.
	gone := p.them(9, 1)
	p.put(mail{from: p.us(9), to: []person{gone}, ago: 22, hour: 10, id: "t90.1@" + ourDomain, subject: "新製品のご案内", body: "新製品のご案内です。", boxes: map[string]string{p.us(9).address: sent}})
	p.put(mail{from: person{"Mail Delivery System", "mailer-daemon@mx." + ourDomain}, to: []person{p.us(9)}, ago: 22, hour: 10, id: "bounce@mx." + ourDomain, subject: "Undelivered Mail Returned to Sender",
		head: []string{"Return-Path: <>", "Auto-Submitted: auto-replied"}, boxes: in(9), kind: `multipart/report; report-type=delivery-status; boundary="b"`,
		body: fmt.Sprintf("--b\nContent-Type: text/plain\n\nI could not deliver your mail.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.%s\n\n"+
			"Final-Recipient: rfc822; %s\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <t90.1@%[1]s>\n\n--b--", ourDomain, gone.address)})

	// A read receipt, an answer in somebody's absence, newsletters, a notice of a program.
	p.put(mail{from: p.them(8, 2), to: []person{p.us(8)}, ago: 49, hour: 9, id: "read@" + at(8), subject: "開封済み: ご契約満了のご案内", boxes: in(8),
		kind: `multipart/report; report-type=disposition-notification; boundary="b"`,
		body: "--b\nContent-Type: text/plain\n\nread\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; " + p.them(8, 2).address +
			"\nOriginal-Message-ID: <t11.1@" + ourDomain + ">\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--b--"})
	p.put(mail{from: p.them(3, 0), to: []person{p.us(3)}, ago: 40, hour: 10, id: "away@" + at(3), subject: "自動応答: 近況のご連絡", body: "出張のため不在にしております。",
		head: []string{"Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All"}, boxes: in(3)})
	for i, list := range []string{"seminar@business-news.example", "info@trade-paper.example", "news@" + at(11)} {
		p.put(mail{from: person{"", list}, to: []person{p.us(i)}, ago: 3 + 9*i, hour: 7, id: fmt.Sprintf("news%d@%s", i, ourDomain), subject: "【メルマガ】今週のニュース", body: "ニュースです。",
			head: []string{"List-Unsubscribe: <https://news.example/u>", "Precedence: bulk"}, boxes: in(i)})
	}
	p.put(mail{from: person{"", "noreply@" + at(4)}, to: []person{p.us(4)}, ago: 11, hour: 3, id: "notice@" + at(4), subject: "[自動通知] 受付完了", body: "受け付けました。",
		head: []string{"Auto-Submitted: auto-generated"}, boxes: in(4)})

	// Among ourselves; people whom the CRM does not know; somebody new at a customer that it knows.
	p.put(mail{from: p.us(0), to: []person{p.us(1)}, ago: 4, hour: 9, id: "internal@" + ourDomain, subject: "定例の資料", body: "資料です。", boxes: map[string]string{p.us(0).address: sent, p.us(1).address: inbox}})
	for i, from := range []string{"kenji@shiroyama-kogyo.example", "sales@parts-supply.example", "sales@parts-supply.example", "tanaka1980@gmail.com"} {
		p.put(mail{from: person{"", from}, to: []person{p.us(i)}, ago: 5 + 6*i, hour: 14, id: fmt.Sprintf("stranger%d@%s", i, ourDomain), subject: "お問い合わせ", body: "詳しく教えてください。", boxes: in(i)})
	}
	p.put(mail{from: person{"品質保証部 課長 大野", "ohno@" + at(6)}, to: []person{p.us(6)}, ago: 1, hour: 10, id: "new@" + at(6), subject: "品質データの連携について", body: "連携の方法を相談させてください。", boxes: in(6)})
}

// meeting is the body of a mail about a meeting.
func meeting(method, uid string, at time.Time, answer, attendee string) string {
	return fmt.Sprintf("--b\nContent-Type: text/plain\n\n\n--b\nContent-Type: text/calendar; method=%s; charset=UTF-8\n\nBEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:%[1]s\nBEGIN:VEVENT\n"+
		"UID:%s@%s\nDTSTART:%s\nSUMMARY:meeting\nATTENDEE;PARTSTAT=%s:mailto:%s\nEND:VEVENT\nEND:VCALENDAR\n\n--b--", method, uid, ourDomain, at.Add(5*time.Hour).Format("20060102T150405Z"), answer, attendee)
}
