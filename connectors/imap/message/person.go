package message

import (
	"regexp"
	"strings"
)

// Words of job titles. A department that is written in one with a title belongs to it: 購買課長.
const (
	departments = `(?:第[一二三四五六七八九十\d]+)?(?:営業|総務|経理|財務|人事|労務|法務|広報|宣伝|企画|経営|開発|研究|技術|設計|製造|生産|工務|購買|資材|調達|物流|品質|保証|管理|情報|システム|業務|販売|海外|国内|国際|推進|戦略|商品|設備|保全|建設|工事|施設|サービス|マーケティング|秘書|監査|知財|環境|安全|事業|事務)*`
	degrees     = `(?:代表取締役|取締役|常務|専務|執行役員|上席|上級|主席|統括|担当|専任|副|次|元|前|総|ゼネラル|シニア|アシスタント|プロジェクト|エリア|セールス)*`
	// The longer words stand first.
	ranks = `(?:代表取締役社長|代表取締役|取締役会長|取締役|執行役員|代表理事|社長|会長|相談役|顧問|専務|常務|監査役|本部長|事業部長|事業所長|部門長|支社長|支店長|工場長|営業所長|研究所長|センター長|所長|室長|部長|次長|課長|係長|班長|グループ長|チーム長|店長|局長|院長|学長|理事長|理事|校長|園長|支配人|参事|主任|主査|主事|代表|リーダー|マネージャー?|マネジャー?|ディレクター|チーフ)(?:代理|補佐|心得|代行|待遇|付)?`
)

var (
	honorific    = regexp.MustCompile(`[ 　]*(様|さま|さん|殿|氏|先生|御中|(?i:[ ,]+(esq\.?|ph\.?d\.?)|[ -]sa(n|ma)))$`)
	salutation   = regexp.MustCompile(`^(Mr|Mrs|Ms|Dr|Prof|MR|MRS|MS|DR)(\. *| +)`)
	titleAtEnd   = regexp.MustCompile(`[ 　/／・]*(` + departments + degrees + ranks + `)$`)
	titleInFront = regexp.MustCompile(`^(` + departments + degrees + ranks + `)[ 　:：]+(\S.*)$`)
	latinTitle   = regexp.MustCompile(`(?i)^(.*?)[ ,(/|-]+((?:senior |executive |vice |deputy |assistant |general |sales |regional )*(?:president|director|manager|officer|ceo|cto|cfo|coo|vp|head of [a-z ]+|engineer|buyer))\)?$`)
	bracketed    = regexp.MustCompile(`[ 　]*[(（\[【<＜〈].*?[)）\]】>＞〉][ 　]*`)
)

// Person takes a display name apart: "株式会社カスト 営業部 山田部長" is 山田, 部長.
// Without a title or a form of address the whole name is the person's.
func (a Address) Person() (name, title string) {
	s := unaddressed(a.Name)
	addressed := s != strings.TrimSpace(a.Name)
	if m := latinTitle.FindStringSubmatch(s); m != nil && strings.TrimSpace(m[1]) != "" {
		return strings.TrimSpace(m[1]), m[2]
	}
	if m := titleInFront.FindStringSubmatch(strings.Join(afterOrganisation(strings.Fields(s)), " ")); m != nil {
		return strings.TrimSpace(m[2]), m[1]
	}
	plain := strings.TrimSpace(bracketed.ReplaceAllString(s, " "))
	if m := titleAtEnd.FindStringSubmatchIndex(plain); m != nil && m[0] > 0 {
		title, s = plain[m[2]:m[3]], strings.TrimRight(plain[:m[0]], " 　/／・")
	} else if inside := bracketed.FindString(s); inside != "" && plain != "" {
		word := strings.Trim(inside, " 　()（）[]【】<>＜＞〈〉")
		if m := titleAtEnd.FindStringSubmatchIndex(word); m != nil {
			title, s = word[m[2]:m[3]], unaddressed(plain)
		}
	}
	if title != "" || addressed { // what stands around the name is company and department
		words := afterOrganisation(strings.Fields(s))
		for len(words) > 1 && belongs(words[len(words)-1]) {
			words = words[:len(words)-1]
		}
		s = strings.Join(words, " ")
	}
	return s, title
}

// unaddressed is a name without forms of address, if anything is left then.
func unaddressed(name string) string {
	name = strings.TrimSpace(name)
	s := strings.TrimSpace(honorific.ReplaceAllString(salutation.ReplaceAllString(name, ""), ""))
	if s == "" {
		return name
	}
	return s
}

var organisation = regexp.MustCompile(`(株式会社|有限会社|合同会社|合資会社|\(株\)|（株）|㈱|㈲|法人|会社|銀行|大学|病院|商店|製作所|工業|事務所|[^ 　]{2,}[部課室局係院所]|支店|支社|本社|工場|グループ|チーム|センター|Inc\.?|Ltd\.?|Co\.)$|^(株式会社|有限会社|合同会社|（株）|\(株\)|㈱|㈲)`)

// surname are those that end as departments do, and are as long.
var surname = regexp.MustCompile(`^(長谷部|日下部|曽我部|長[曽宗]我部|伊集院)$`)

func belongs(word string) bool { return organisation.MatchString(word) && !surname.MatchString(word) }

// afterOrganisation drops leading words that name a company or a department.
func afterOrganisation(words []string) []string {
	for len(words) > 1 && belongs(words[0]) {
		words = words[1:]
	}
	return words
}
