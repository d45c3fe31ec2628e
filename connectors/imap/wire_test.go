package imap

import "energyd/connectors/imap/message"

func keyOf(raw []byte) string { return message.ReadHeader(raw).Key() }
