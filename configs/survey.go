package configs

import _ "embed" // the words

// SurveyWords is survey.yaml: the words by which energyd survey recognises columns.
//
//go:embed survey.yaml
var SurveyWords []byte
