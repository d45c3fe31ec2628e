package crmsim

import (
	"slices"
	"strings"
)

// followMail relates a mail to the people that are named with it, and logs it as a task.
func (s *Server) followMail(c change, lists map[string][]string, by rights) (also []change, err error) {
	r := c.row
	if c.before != nil || r.latestText("Status") == "5" {
		return nil, nil
	}
	var people []string
	for _, key := range listKeys["EmailMessage"] {
		for _, id := range lists[key] {
			made, err := s.insert(s.objects["emailmessagerelation"], map[string]any{"EmailMessageId": r.id(), "RelationId": id,
				"RelationType": strings.TrimSuffix(key, "Ids") + "Address"}, rights{by.user, true})
			if err != nil {
				return also, err
			}
			also = append(also, made)
			if !strings.HasPrefix(id, "005") && !slices.Contains(people, id) {
				people = append(people, id)
			}
		}
	}
	if r.latest("ActivityId") != nil || people == nil && r.latest("RelatedToId") == nil {
		return also, nil
	}
	at := r.latest("MessageDate")
	if at == nil {
		at = r.latest("CreatedDate")
	}
	values := map[string]any{"Subject": "Email: " + r.latestText("Subject"), "TaskSubtype": "Email", "Status": "Completed", "Priority": "Normal",
		"Description": r.latest("TextBody"), "ActivityDate": shown(at), "CompletedDateTime": shown(at), "WhatId": r.latest("RelatedToId"), "OwnerId": by.user,
		"CreatedDate": shown(r.latest("CreatedDate")), "LastModifiedDate": shown(r.latest("LastModifiedDate")), "SystemModstamp": shown(r.latest("SystemModstamp"))}
	if people != nil {
		values["WhoId"] = people[0]
		values["TaskWhoIds"] = people
	}
	task, err := s.insert(s.objects["task"], values, rights{by.user, true})
	if err != nil {
		return also, err
	}
	return append(also, task, s.put(r, map[string]any{"ActivityId": task.row.value(colID)})), nil
}
