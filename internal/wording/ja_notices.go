package wording

// notices are sentences about notices.
var notices = map[string]string{
	"check notices.mail.server and the network":                           "notices.mail.server とネットワークを確かめてください",
	"check notices.mail.user and password":                                "notices.mail.user と password を確かめてください",
	"check server, tls, user and password":                                "server、tls、user、password を確かめてください",
	"check that it lets notices.mail.from send, and the reader's address": "notices.mail.from からの送信が許可されているか、宛先のアドレスが正しいか確かめてください",
	"correct it in the CRM, or in notices.mail":                           "CRM か notices.mail のアドレスを直してください",
	"it takes no messages":                                                "メッセージを受け付けません",
	"make the web hook anew in the chat service, and put its address into the file that notices.webhooks names":       "チャットサービスで Web フックを作り直し、そのアドレスを notices.webhooks が指すファイルに書いてください",
	"name the file of your own certificate authority in notices.mail.ca_file, and the server as its certificate does": "notices.mail.ca_file に自社の認証局のファイルを、server に証明書どおりの名前を指定してください",
	"notices.mail cannot be used":                     "notices.mail を使えません",
	"notices.mail.ca_file cannot be used":             "notices.mail.ca_file を使えません",
	"notices.mail.from is no address":                 "notices.mail.from がアドレスではありません",
	"notices.mail.server has no port":                 "notices.mail.server にポートがありません",
	"notices.mail.server is no address":               "notices.mail.server がアドレスではありません",
	"the mail server cannot be reached, or broke off": "メールサーバーに接続できないか、接続が切れました",
	"the mail server did not take the mail this time": "メールサーバーが今回はメールを受け付けませんでした",
	"the mail server refuses the mail":                "メールサーバーがメールを拒否しています",
	"the mail server refuses the sign-on":             "メールサーバーがサインインを拒否しています",
	"the mail server's certificate cannot be trusted": "メールサーバーの証明書を信頼できません",
	"the reader's mail address cannot be used":        "宛先のメールアドレスを使えません",
	"write HOST:PORT":                                 "HOST:PORT の形で書いてください",
}
