package crmsim

// japanese are the pages' words; labels of custom fields are shown as the admin wrote them.
var japanese = map[string]string{
	"Accounts": "取引先", "Account": "取引先", "Contacts": "取引先責任者", "Contact": "担当者", "Open opportunities": "進行中の商談",
	"Recent activities": "最近の活動", "Details": "詳細", "Custom fields": "カスタム項目", "Page not found": "ページがありません",
	"Search accounts": "取引先を検索", "Search": "検索", "Back to accounts": "取引先一覧へ", "Previous": "前へ", "Next": "次へ",
	"No accounts found": "取引先がありません", "No contacts": "取引先責任者がいません", "No open opportunities": "進行中の商談はありません",
	"No activities": "活動はありません", "of": "/", "Yes": "はい", "Simulated": "シミュレーション",
	"Name": "名前", "Account Number": "取引先番号", "Type": "種別", "Industry": "業種", "Annual Revenue": "年間売上",
	"Number Of Employees": "従業員数", "Phone": "電話", "Website": "Webサイト", "Billing State": "都道府県", "Billing City": "市区町村",
	"Description": "説明", "Owner": "所有者", "Owner Id": "所有者", "Parent": "親取引先", "Last Activity Date": "最終活動日",
	"Created Date": "作成日", "Last Modified Date": "最終更新日", "Last Modified By": "最終更新者",
	"Title": "役職", "Department": "部署", "Email": "メール", "Stage Name": "フェーズ", "Amount": "金額", "Close Date": "完了予定日",
	"Prospect": "見込み客", "Customer": "顧客", "Partner": "パートナー", "Manufacturing": "製造", "Technology": "情報技術", "Finance": "金融",
	"Retail": "小売・流通", "Construction": "建設", "Prospecting": "見込み調査", "Qualification": "評価", "Proposal": "提案",
	"Negotiation": "交渉", "Closed Won": "受注", "Closed Lost": "失注",
}
