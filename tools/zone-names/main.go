// Writes src/engine/sprig/zone-names.generated.ts to standard output: the time zones that Go knows, and the letters by
// which it abbreviates their offsets since 1970, which JavaScript's Intl does not tell.
//
//	go run ./tools/zone-names > src/engine/sprig/zone-names.generated.ts
package main

import (
	"archive/zip"
	"fmt"
	"log"
	"maps"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		log.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib/time/zoneinfo.zip"))
	if err != nil {
		log.Fatal(err)
	}
	groups := map[string][]string{}
	for _, file := range archive.File {
		if strings.HasSuffix(file.Name, "/") {
			continue
		}
		location, err := time.LoadLocation(file.Name)
		if err != nil {
			log.Fatal(err)
		}
		names := abbreviations(location)
		key := strings.Join(names, " ")
		groups[key] = append(groups[key], file.Name)
	}
	fmt.Printf("// Written by tools/zone-names from the time zones of %s. Do not edit.\n", runtime.Version())
	fmt.Println("/** Lines of `ABBREVIATION+minutes<end ...|Zone ...`; from `end`, in seconds since 1970, the offset goes by the next name. */")
	fmt.Println("export const ZONE_NAMES: string = `")
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		fmt.Printf("%s|%s\n", key, strings.Join(groups[key], " "))
	}
	fmt.Println("`;")
}

// abbreviations gives NAME+minutes for each offset, by offset; with <end when another name follows.
func abbreviations(location *time.Location) []string {
	type use struct {
		name string
		end  int64
	}
	uses := map[int][]use{}
	for at := time.Unix(0, 0); at.Year() < 2038; at = at.Add(time.Hour) {
		name, offset := at.In(location).Zone()
		of := uses[offset]
		if len(of) > 0 && of[len(of)-1].name == name {
			continue
		}
		if len(of) > 0 {
			of[len(of)-1].end = at.Unix()
		}
		uses[offset] = append(of, use{name: name})
	}
	var names []string
	for _, offset := range slices.Sorted(maps.Keys(uses)) {
		for _, one := range uses[offset] {
			// An abbreviation such as +03 follows from the offset.
			if offset%60 != 0 || (len(uses[offset]) == 1 && strings.ContainsAny(one.name, "+-")) {
				continue
			}
			text := fmt.Sprintf("%s%+d", one.name, offset/60)
			if strings.ContainsAny(one.name, "+-") {
				text = fmt.Sprintf("?%+d", offset/60)
			}
			if one.end != 0 {
				text += fmt.Sprintf("<%d", one.end)
			}
			names = append(names, text)
		}
	}
	return names
}
