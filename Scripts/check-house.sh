#!/usr/bin/env bash
# The rules of the house that a compiler does not check.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
complain() {
    echo "$1" >&2
    sed 's/^/  /' >&2
    status=1
}
check() { # message, command that prints what is wrong
    local found
    found=$(eval "$2" || true)
    [ -z "$found" ] || complain "$1" <<<"$found"
}
check 'public is not used: access between targets is package' \
    "git grep -nE '^\s*public ' -- 'Sources/*.swift'"
check 'forced or unchecked:' \
    "git grep -nE 'try!|as!|@unchecked Sendable|nonisolated\(unsafe\)' -- 'Sources/*.swift'"
check 'unstructured tasks outside App:' \
    "git grep -nE '\bTask(\.detached)?\s*\{' -- 'Sources/*.swift' ':!Sources/App'"
check 'GRDB belongs to Store:' "git grep -nE '^import GRDB' -- 'Sources/*.swift' ':!Sources/Store'"
check 'a feature imports a feature:' "git grep -nE '^import [A-Za-z]+Feature\b' -- 'Sources/Features/*.swift'"
check 'left to do in the code:' "git grep -nE 'TODO|FIXME|\bXXX\b' -- Sources Python Scripts examples ':!Scripts/check-house.sh'"
check 'files above 500 lines:' \
    "git ls-files 'Sources/*.swift' 'Tests/*.swift' ':!*/Generated/*' | xargs wc -l | awk '\$2 != \"total\" && \$1 > 500 { print \$2, \$1 }'"
exit $status
