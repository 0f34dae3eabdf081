// Prints which fields of the v1 API types keep an empty string (pointers) and which drop a zero (values with omitempty), as JSON.
// Run as the program beside it; put zero.json into src/engine/schema/zero-fields.generated.ts.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
)

var keep = map[string]map[string]bool{}
var drop = map[string]map[string]bool{}
var seen = map[reflect.Type]bool{}

func add(m map[string]map[string]bool, t, f string) {
	if m[t] == nil { m[t] = map[string]bool{} }
	m[t][f] = true
}
func walk(t reflect.Type, name string) {
	switch t.Kind() {
	case reflect.Ptr, reflect.Slice, reflect.Map:
		walk(t.Elem(), t.Elem().Name())
		return
	case reflect.Struct:
	default:
		return
	}
	if !strings.HasPrefix(t.PkgPath(), "k8s.io/api/") { return }
	if name == t.Name() { if seen[t] { return }; seen[t] = true }
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		tag := strings.Split(f.Tag.Get("json"), ",")
		inline := false; omit := false
		for _, x := range tag[1:] { if x == "inline" { inline = true }; if x == "omitempty" { omit = true } }
		if inline { if f.Type.Kind() == reflect.Struct { walk(f.Type, name) }; continue }
		if tag[0] == "" || tag[0] == "-" { continue }
		k := f.Type
		if k.Kind() == reflect.Ptr && k.Elem().Kind() == reflect.String { add(keep, name, tag[0]) }
		if omit { switch k.Kind() { case reflect.Bool, reflect.Int32, reflect.Int64: add(drop, name, tag[0]) } }
		walk(f.Type, f.Type.Name())
	}
}
func main() {
	s := clientscheme.Scheme
	for gvk, t := range s.AllKnownTypes() {
		if gvk.Version == runtime.APIVersionInternal { continue }
		if !strings.HasPrefix(t.PkgPath(), "k8s.io/api/") { continue }
		if !(gvk.Version == "v1" || (gvk.Group == "autoscaling" && gvk.Version == "v2")) { continue }
		walk(t, t.Name())
	}
	conv := func(m map[string]map[string]bool) map[string][]string { o := map[string][]string{}; for k, v := range m { for f := range v { o[k] = append(o[k], f) }; sort.Strings(o[k]) }; return o }
	b, _ := json.Marshal(map[string]any{"keep": conv(keep), "drop": conv(drop)})
	os.WriteFile("zero.json", b, 0644)
}
