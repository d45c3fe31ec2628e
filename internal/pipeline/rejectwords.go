package pipeline

import (
	"energyd/connectors"
)

// recordToDo says in plain words what becomes of a kept record, or what to do.
func recordToDo(r Reject, language string) string {
	switch r.WaitsFor {
	case Another:
		return in(language, "元データが変わるまで数えず、知らせません。戻すには energyd rejects retry", "not counted or told until its record is another one; energyd rejects retry brings it back")
	case Snooze:
		return in(language, "その日まで数えず、知らせません。取り消すには energyd rejects retry", "not counted or told until that day; energyd rejects retry brings it back")
	case NextPull:
		return in(language, "次回の取得でもう一度試します", "nothing: the next pull tries it again")
	}
	switch {
	case r.Code == "match":
		return in(language, "energyd match list でどちらの顧客か決めてください", "decide whom the name means: energyd match list")
	case r.Class == connectors.GoneRecord:
		return in(language, "顧客をCRMに登録するか、元データのコードを直してください。登録されれば自動で取り込みます",
			"enter the customer in the CRM, or correct the code in the source; it comes through by itself then")
	case r.Code == "value": // a list where one value belongs, a word that energyd itself does not have
		return in(language, "理由に示した箇所の値を元データで直すか、マッピングの式を値の形に合わせてください",
			"correct the value in its source, or the expression that the reason names, so that it takes such values")
	case r.Code == "kind" || r.Code == "lookup":
		return in(language, "マッピングの対応表に言葉を加えるか、元データを直してください", "add the word to the mapping's lookups, or correct the record in its source")
	case r.Code == "date":
		return in(language, "元データの日付か、マッピングの activity.at を直してください", "correct the date in the source, or activity.at in the mapping")
	case r.Code == "column":
		return in(language, "元の表に、マッピングが使う列がまだあるか確かめてください", "see that the source still has the columns that the mapping uses")
	}
	return in(language, "元データを直してください。変更されれば読み直します。使わないものなら energyd rejects drop",
		"correct the record in its source, it is read again when it changes; or drop it, if nobody needs it")
}

// changeToDo says the same of a change that the CRM refused without a hint of its own.
func changeToDo(r Reject, language string) string {
	switch r.WaitsFor {
	case Another:
		return in(language, "書き込む値が変わるまで送らず、知らせません。戻すには energyd rejects retry", "not sent or told until the value to be written is another one; energyd rejects retry brings it back")
	case Snooze:
		return in(language, "その日まで送らず、知らせません。取り消すには energyd rejects retry", "not sent or told until that day; energyd rejects retry brings it back")
	case NextPlan:
		return in(language, "次回の計画でもう一度送ります", "nothing: the next plan sends it again")
	}
	switch r.Class {
	case connectors.NoRight:
		return in(language, "実行ユーザーに項目とレコードの編集権限を与えてから energyd rejects retry", "give the run-as user the right to edit the field and the record, then energyd rejects retry")
	case connectors.GoneRecord:
		return in(language, "CRMのレコードが削除されたか、見えません。統合・復元するか energyd rejects drop", "the record was deleted or is hidden: restore it, or drop the reject")
	case connectors.Ambiguous:
		return in(language, "重複するレコードを統合してから energyd rejects retry", "merge the records that are too much alike, then energyd rejects retry")
	case connectors.NoQuota:
		return in(language, "CRMの呼び出し数か容量が空くのを待ってから energyd rejects retry", "wait until the CRM has calls or storage again, then energyd rejects retry")
	case connectors.Locked:
		return in(language, "ロックが外れてから energyd rejects retry", "wait until nobody holds the record, then energyd rejects retry")
	}
	return in(language, "レコードかCRMの入力規則を直してから energyd rejects retry", "correct the record or the CRM's rule, then energyd rejects retry")
}

func in(language, japanese, english string) string {
	if language == "ja" {
		return japanese
	}
	return english
}
