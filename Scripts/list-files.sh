#!/usr/bin/env bash
# Writes Sources/CConsole/console.c and Sources/CCatalog/catalog.c anew: the lists of the files that the binary carries.
# With --check, only says whether they are as they should be.
set -euo pipefail
cd "$(dirname "$0")/.."

# Prints the C code of a list. Its standard input: one "NAME PATH" a line, the path from the repository's root.
list() { # struct, function, first entry
    local names=() paths=() name path index
    while read -r name path; do
        names+=("$name")
        paths+=("$path")
    done
    for index in "${!paths[@]}"; do
        printf 'static const unsigned char file_%d[] = {\n#embed "../../%s"\n};\n' "$index" "${paths[$index]}"
    done
    printf '\nstatic const struct %s files[] = {\n%s' "$1" "$3"
    for index in "${!names[@]}"; do
        printf '    {"%s", file_%d, sizeof(file_%d)},\n' "${names[$index]}" "$index" "$index"
    done
    cat <<TAIL
};

const struct $1 *$2(int index) {
    const int count = sizeof(files) / sizeof(files[0]);
    return index >= 0 && index < count ? &files[index] : 0;
}
TAIL
}

# The files of a folder with these endings, by their paths below it, in an order that no locale changes.
below() { # folder, endings
    local ending conditions=()
    for ending in $2; do conditions+=(-o -name "*.$ending"); done
    (cd "$1" && find . -type f \( "${conditions[@]:1}" \) | sed 's|^\./||' | LC_ALL=C sort)
}

console() {
    cat <<'HEAD'
// Made by Scripts/list-files.sh from what is in Console/: the pages' parts, carried inside the binary.
#include "cconsole.h"

// A library from Debian (libjs-chart.js), bundled when the binary is built and in no commit.
#define CHART "/usr/share/javascript/chart.js/chart.min.js"
#if !__has_embed(CHART)
#error "the chart library is missing: run make setup (or apt-get install libjs-chart.js)"
#endif
static const unsigned char chart[] = {
#embed CHART
};
HEAD
    below Console "css svg js mustache yaml" | sed 's|.*|& Console/&|' |
        list takumi_console_file takumi_console_file $'    {"chart.js", chart, sizeof(chart)},\n'
}

catalog() {
    cat <<'HEAD'
// Made by Scripts/list-files.sh from what is in Catalog/ and Python/: Takumi is one file to copy.
#include "ccatalog.h"

HEAD
    {
        below Catalog "yaml txt" | sed 's|.*|& Catalog/&|'
        below Python/takumi_runtime "py" | sed 's|.*|programs/& Python/takumi_runtime/&|'
    } | list takumi_catalog_file takumi_catalog_file ""
}

status=0
for part in console catalog; do
    target=Sources/C${part^}/$part.c
    if [ "${1:-}" = --check ]; then
        $part | cmp -s - "$target" || { echo "$target is out of date: run Scripts/list-files.sh" >&2; status=1; }
    else
        $part >"$target.tmp"
        mv "$target.tmp" "$target"
    fi
done
exit $status
