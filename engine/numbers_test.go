package engine_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"energyd/engine"
)

// Whatever number of a points table is not a number, without bound or negative, the table is
// refused, in words that name where it stands.
func TestValidate_refuses_every_number_that_is_none(t *testing.T) {
	c := shipped(t)
	everything(shipped(t))(c)
	c.EarlierEdition = nil
	c.Groups[0].Cap = 100
	c.Tables = append(c.Tables, engine.TableConfig{Name: "t", Product: []string{"p"}, KeymanFactor: points(2),
		Kinds: map[string]engine.KindPoints{"visit": {Points: points(3)}}, Ranks: map[string]float64{"staff": 2},
		Cues: map[string]engine.CuePoints{"question": {Factor: points(1.1), Bonus: points(1)}}})
	c.SourceFactors = map[string]float64{"notes": 0.8}
	c.Alarms.Leaving = &engine.LeavingConfig{Group: c.Groups[0].Name, Alive: 0.5, R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426, Stands: 90}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	tried := 0
	eachNumber(reflect.ValueOf(c).Elem(), "table", func(path string, set func(float64)) {
		for _, wrong := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
			set(wrong)
			tried++
			err := c.Validate()
			if err == nil {
				t.Errorf("%s = %v is accepted", path, wrong)
			} else if words := err.Error(); strings.Contains(words, "%!") || len(words) < 20 {
				t.Errorf("%s = %v: %s", path, wrong, words)
			}
		}
	})
	if tried < 200 { // the walk reached nothing
		t.Errorf("%d numbers tried", tried)
	}
}

// eachNumber walks to all floating-point numbers that are set, and puts each back afterwards.
func eachNumber(v reflect.Value, path string, try func(path string, set func(float64))) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachNumber(v.Elem(), path, try)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			eachNumber(v.Field(i), path+"."+v.Type().Field(i).Name, try)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachNumber(v.Index(i), fmt.Sprintf("%s[%d]", path, i), try)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			was := v.MapIndex(key)
			own := reflect.New(was.Type()).Elem()
			own.Set(was)
			eachNumber(own, fmt.Sprintf("%s.%v", path, key), func(path string, set func(float64)) {
				try(path, func(x float64) {
					set(x)
					v.SetMapIndex(key, own)
				})
			})
			v.SetMapIndex(key, was)
		}
	case reflect.Float64:
		was := v.Float()
		try(path, v.SetFloat)
		v.SetFloat(was)
	}
}
