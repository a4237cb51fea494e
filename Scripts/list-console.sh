#!/usr/bin/env bash
# Writes Sources/CConsole/console.c anew: the list of the files of Console/ that the binary carries.
# With --check, only says whether it is as it should be.
set -euo pipefail
cd "$(dirname "$0")/.."
target=Sources/CConsole/console.c

list() {
    cat <<'HEAD'
// Made by Scripts/list-console.sh from what is in Console/: the pages' parts, carried inside the binary.
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
    local files=() file index=0
    while IFS= read -r file; do files+=("$file"); done < <(
        cd Console && find . -type f \( -name '*.css' -o -name '*.svg' -o -name '*.js' -o -name '*.mustache' \
            -o -name '*.yaml' \) | sed 's|^\./||' | LC_ALL=C sort)
    for file in "${files[@]}"; do
        printf 'static const unsigned char file_%d[] = {\n#embed "../../Console/%s"\n};\n' "$index" "$file"
        index=$((index + 1))
    done
    printf '\nstatic const struct takumi_console_file files[] = {\n    {"chart.js", chart, sizeof(chart)},\n'
    index=0
    for file in "${files[@]}"; do
        printf '    {"%s", file_%d, sizeof(file_%d)},\n' "$file" "$index" "$index"
        index=$((index + 1))
    done
    cat <<'TAIL'
};

const struct takumi_console_file *takumi_console_file(int index) {
    const int count = sizeof(files) / sizeof(files[0]);
    return index >= 0 && index < count ? &files[index] : 0;
}
TAIL
}

if [ "${1:-}" = --check ]; then
    list | cmp -s - "$target" || { echo "$target is out of date: run Scripts/list-console.sh" >&2; exit 1; }
else
    list >"$target.tmp"
    mv "$target.tmp" "$target"
fi
