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
		offsets := map[int]string{}
		for at := time.Unix(0, 0); at.Year() < 2038; at = at.Add(12 * time.Hour) {
			name, offset := at.In(location).Zone()
			offsets[offset] = name
		}
		var names []string
		for _, offset := range slices.Sorted(maps.Keys(offsets)) {
			// An abbreviation such as +03 follows from the offset.
			if name := offsets[offset]; offset%60 == 0 && !strings.ContainsAny(name, "+-") {
				names = append(names, fmt.Sprintf("%s%+d", name, offset/60))
			}
		}
		key := strings.Join(names, " ")
		groups[key] = append(groups[key], file.Name)
	}
	fmt.Printf("// Written by tools/zone-names from the time zones of %s. Do not edit.\n", runtime.Version())
	fmt.Println("/** Lines of `ABBREVIATION+minutes ...|Zone ...`. */")
	fmt.Println("export const ZONE_NAMES: string = `")
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		fmt.Printf("%s|%s\n", key, strings.Join(groups[key], " "))
	}
	fmt.Println("`;")
}
