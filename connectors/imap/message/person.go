package message

import (
	"regexp"
	"strings"
)

var (
	honorific = regexp.MustCompile(`[ 　]*(様|さま|さん|殿|氏|先生|御中|(?i:[ ,]+(esq\.?|ph\.?d\.?)))$`)
	// titleAtEnd is a job title behind a name; the longer words stand first.
	titleAtEnd   = regexp.MustCompile(`[ 　/／・]*((?:代表取締役|取締役|常務|専務|執行役員|上席|上級|主席|統括|担当|副|次|元|前)*(?:代表取締役社長|代表取締役|取締役会長|取締役|執行役員|社長|会長|相談役|顧問|専務|常務|監査役|本部長|事業部長|事業所長|営業部長|総務部長|技術部長|購買部長|部門長|支社長|支店長|工場長|営業所長|研究所長|センター長|所長|室長|部長|次長|課長|係長|班長|グループ長|チーム長|店長|局長|院長|学長|理事長|理事|校長|園長|主任|主査|主事|リーダー|マネージャー|マネジャー|ディレクター|チーフ)(?:代理|補佐|心得|代行|待遇|付)?)$`)
	titleInFront = regexp.MustCompile(`^((?:代表取締役|取締役|常務|専務|執行役員)*(?:代表取締役社長|代表取締役|取締役|社長|会長|専務|常務|本部長|部長|次長|課長|係長|主任|支店長|所長|室長))[ 　:：]+(\S.*)$`)
	latinTitle   = regexp.MustCompile(`(?i)^(.*?)[ ,(/|-]+((?:senior |executive |vice |deputy |assistant |general |sales |regional )*(?:president|director|manager|officer|ceo|cto|cfo|coo|vp|head of [a-z ]+|engineer|buyer))\)?$`)
	bracketed    = regexp.MustCompile(`[ 　]*[(（\[【<＜〈].*?[)）\]】>＞〉][ 　]*`)
)

// Person takes a display name apart: "株式会社カスト 営業部 山田部長" is 山田, 部長.
// Without a title or a form of address the whole name is the person's.
func (a Address) Person() (name, title string) {
	s := strings.TrimSpace(honorific.ReplaceAllString(a.Name, ""))
	addressed := s != strings.TrimSpace(a.Name)
	if m := latinTitle.FindStringSubmatch(s); m != nil && strings.TrimSpace(m[1]) != "" {
		return strings.TrimSpace(m[1]), m[2]
	}
	if m := titleInFront.FindStringSubmatch(s); m != nil {
		return strings.TrimSpace(m[2]), m[1]
	}
	plain := strings.TrimSpace(bracketed.ReplaceAllString(s, " "))
	if m := titleAtEnd.FindStringSubmatchIndex(plain); m != nil && m[0] > 0 {
		title, s = plain[m[2]:m[3]], strings.TrimRight(plain[:m[0]], " 　/／・")
	} else if inside := bracketed.FindString(s); inside != "" && plain != "" {
		word := strings.Trim(inside, " 　()（）[]【】<>＜＞〈〉")
		if m := titleAtEnd.FindStringSubmatchIndex(word); m != nil && plain != "" {
			title = word[m[2]:m[3]]
			s = plain
		}
	}
	if title != "" || addressed { // what stands before the name is company and department
		if words := strings.Fields(s); len(words) > 1 && belongs(words[0]) {
			s = strings.Join(afterOrganisation(words), " ")
		}
	}
	return s, title
}

var organisation = regexp.MustCompile(`(株式会社|有限会社|合同会社|合資会社|\(株\)|（株）|㈱|㈲|法人|会社|銀行|大学|病院|商店|製作所|工業|事務所|[部課室局係院所]|支店|支社|本社|工場|グループ|チーム|センター|Inc\.?|Ltd\.?|Co\.)$|^(株式会社|有限会社|合同会社|（株）|\(株\)|㈱|㈲)`)

func belongs(word string) bool { return organisation.MatchString(word) }

// afterOrganisation drops leading words that name a company or a department.
func afterOrganisation(words []string) []string {
	for len(words) > 1 && belongs(words[0]) {
		words = words[1:]
	}
	return words
}
