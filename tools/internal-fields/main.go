// Prints the fields of kube-apiserver's internal Go types, by which it quotes objects in messages, as JSON: type -> [Go name, name in
// v1, kind] in the order of the type. Run in a module that requires k8s.io/kubernetes v1.34.1:
// go run main.go, then put fields.json into src/engine/schema/internal-fields.generated.ts.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/apis/core"
)

// struct -> [goName, jsonName, kind]
var out = map[string][][3]string{}

func kind(i, e reflect.Type) string {
	switch i.Kind() {
	case reflect.Ptr:
		if e != nil && e.Kind() == reflect.Ptr { e = e.Elem() }
		return "*" + kind(i.Elem(), e)
	case reflect.Slice:
		if i.Elem().Kind() == reflect.Uint8 { return "s" }
		if e != nil && e.Kind() == reflect.Slice { e = e.Elem() }
		return "[]" + kind(i.Elem(), e)
	case reflect.Map:
		if i.Elem().Name() == "Quantity" { return "map" }
		return "map"
	case reflect.Struct:
		n := i.Name()
		p := i.PkgPath()
		if n == "Quantity" { return "q" }
		if n == "IntOrString" { return "i" }
		if strings.HasPrefix(p, "k8s.io/apimachinery") { return "j" }
		visit(i, e)
		return n
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	default:
		return "n"
	}
}

func visit(i, e reflect.Type) {
	if _, ok := out[i.Name()]; ok { return }
	out[i.Name()] = nil
	var fs [][3]string
	var add func(t, te reflect.Type)
	add = func(t, te reflect.Type) {
		for k := 0; k < t.NumField(); k++ {
			f := t.Field(k)
			if f.Anonymous {
				// an embedded struct is inlined
				var te2 reflect.Type = te
				if te != nil { if ef, ok := te.FieldByName(f.Name); ok { te2 = ef.Type } }
				if strings.HasPrefix(f.Type.PkgPath(), "k8s.io/apimachinery") { fs = append(fs, [3]string{f.Name, "metadata", "meta"}); continue }
				add(f.Type, te2)
				continue
			}
			jn := ""
			var et reflect.Type
			if te != nil {
				if ef, ok := te.FieldByName(f.Name); ok { jn = strings.Split(ef.Tag.Get("json"), ",")[0]; et = ef.Type }
			}
			if jn == "" { jn = "?" + f.Name }
			for et != nil && f.Type.Kind() != reflect.Ptr && et.Kind() == reflect.Ptr { et = et.Elem() }
			fs = append(fs, [3]string{f.Name, jn, kind(f.Type, et)})
		}
	}
	add(i, e)
	out[i.Name()] = fs
}

func main() {
	visit(reflect.TypeOf(core.PodSpec{}), reflect.TypeOf(v1.PodSpec{}))
	visit(reflect.TypeOf(core.EphemeralContainer{}), reflect.TypeOf(v1.EphemeralContainer{}))
	visit(reflect.TypeOf(core.PersistentVolumeClaimSpec{}), reflect.TypeOf(v1.PersistentVolumeClaimSpec{}))
	visit(reflect.TypeOf(core.PersistentVolumeSource{}), reflect.TypeOf(v1.PersistentVolumeSource{}))
	visit(reflect.TypeOf(core.PodTemplateSpec{}), reflect.TypeOf(v1.PodTemplateSpec{}))
	b, _ := json.Marshal(out)
	os.WriteFile("fields.json", b, 0644)
	for n, fs := range out { for _, f := range fs { if strings.HasPrefix(f[1], "?") { fmt.Println(n, f) } } }
}
