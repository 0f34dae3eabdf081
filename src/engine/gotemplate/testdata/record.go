// Records what Go's text/template makes of the cases in recorded.json: go run record.go < recorded.json > new.json
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"
)

type recording struct {
	RecordedFrom string          `json:"recordedFrom"`
	Data         json.RawMessage `json:"data"`
	Cases        []testCase      `json:"cases"`
}

type testCase struct {
	Data       string            `json:"data"`
	Template   string            `json:"template"`
	Others     map[string]string `json:"others,omitempty"`
	MissingKey string            `json:"missingKey,omitempty"`
	Name       string            `json:"name,omitempty"`
	Error      any               `json:"error,omitempty"`
	Output     any               `json:"output,omitempty"`
}

type Sub struct{ X string }

type Meta struct {
	Name string
	N    int
	L    []string
	Sub  *Sub
}

func (m *Meta) Hello(s string) string        { return "hello " + s + m.Name }
func (m Meta) Val() int                      { return m.N }
func (m Meta) Fail(s string) (string, error) { return "", errors.New(s) }
func (m Meta) Any(a ...any) int              { return len(a) }

type Files map[string][]byte

func (f Files) Get(n string) string { return string(f[n]) }

type VS []string

func (v VS) Has(s string) bool { return s == "v1" }

type Ver struct{ V string }

func (v *Ver) String() string { return "ver" + v.V }

var functions = template.FuncMap{
	"i64": func(n int64) int64 { return n }, "u8": func(n uint8) uint8 { return n },
	"u64": func(n uint64) uint64 { return n }, "i32": func(n int32) int32 { return n },
	"f32":  func(n float64) float32 { return float32(n) },
	"strs": func(s ...string) []string { return s }, "ints": func(s ...int) []int { return s },
	"smap":  func(k, v string) map[string]string { return map[string]string{k: v} },
	"bytes": func(s string) []byte { return []byte(s) }, "upper": strings.ToUpper,
	"addi": func(a, b int) int { return a + b }, "fl": func(f float64) float64 { return f },
	"id": func(a any) any { return a }, "list": func(a ...any) []any { return a },
	"dict": func(a ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i+1 < len(a); i += 2 {
			m[fmt.Sprint(a[i])] = a[i+1]
		}
		return m
	},
	"isb": func(b bool) bool { return b }, "fail": func(s string) (string, error) { return "", errors.New(s) },
	"takel": func(a []any) int { return len(a) }, "takem": func(a map[string]any) int { return len(a) },
	"nilany":   func() any { return nil },
	"rawbytes": func(s string) (string, error) { b, err := base64.StdEncoding.DecodeString(s); return string(b), err },
	"meta":     func() *Meta { return &Meta{Name: "nm", N: 3, L: []string{"a"}} },
	"metav":    func() Meta { return Meta{Name: "nm", N: 3, L: []string{"a"}} },
	"nilmeta":  func() *Meta { return nil }, "files": func() Files { return Files{"a": []byte("A")} },
	"vs": func() VS { return VS{"v1", "v2"} }, "dur": func() time.Duration { return 90 * time.Second },
	"num": func() json.Number { return json.Number("12") }, "ver": func() *Ver { return &Ver{"1.2"} },
	"takemeta":  func(m *Meta) string { return m.Name },
	"takefiles": func(m map[string][]byte) int { return len(m) }, "takestrs": func(m []string) int { return len(m) },
	"fn": func() func(int, string) string { return func(a int, b string) string { return fmt.Sprint(a, b) } },
}

func main() {
	var r recording
	if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
		panic(err)
	}
	var data map[string]any
	if err := json.Unmarshal(r.Data, &data); err != nil {
		panic(err)
	}
	var lines []string
	for _, c := range r.Cases {
		output, err := execute(c, data[c.Data])
		c.Error, c.Output = nil, nil
		if err != nil {
			c.Error = shown(err.Error())
		} else {
			c.Output = shown(output)
		}
		lines = append(lines, "    "+encode(c))
	}
	fmt.Printf("{\n  \"recordedFrom\": %s,\n  \"data\": %s,\n  \"cases\": [\n%s\n  ]\n}\n",
		encode(runtime.Version()+" text/template, by testdata/record.go"), r.Data, strings.Join(lines, ",\n"))
}

func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

// shown is s, or its bytes where JSON cannot hold them.
func shown(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return map[string]string{"base64": base64.StdEncoding.EncodeToString([]byte(s))}
}

func execute(c testCase, data any) (string, error) {
	root := template.New("root").Funcs(functions)
	missingKey := c.MissingKey
	if missingKey == "" {
		missingKey = "zero"
	}
	root.Option("missingkey=" + missingKey)
	root.Funcs(template.FuncMap{"include": func(name string, data any) (string, error) {
		var b strings.Builder
		err := root.ExecuteTemplate(&b, name, data)
		return b.String(), err
	}})
	name := c.Name
	if name == "" {
		name = "a.tpl"
	}
	texts := map[string]string{name: c.Template}
	maps.Copy(texts, c.Others)
	for _, n := range slices.Sorted(maps.Keys(texts)) {
		if _, err := root.New(n).Parse(texts[n]); err != nil {
			return "", err
		}
	}
	var b strings.Builder
	err := root.ExecuteTemplate(&b, name, data)
	return b.String(), err
}
