#!/bin/sh
# Makes locks: Catalog/make-lock.sh NAME… (names of locks/*.in without ".in"). README.md says when and how.
set -eu
cd "$(dirname "$0")/locks"
resolved=$(mktemp)
trap 'rm -f "$resolved"' EXIT

for name in "$@"; do
    if [ -e "$name.txt" ]; then
        echo "make-lock.sh: locks/$name.txt is published and never changes; copy $name.in to a new name" >&2
        exit 1
    fi
    set --
    # A folder that holds the +cpu build of torch comes first; without one uv asks PyTorch's own index.
    case $name in *-cpu*) [ -n "${UV_FIND_LINKS:-}" ] || set -- --torch-backend cpu ;; esac
    case $name in tensorflow-*-cpu*) set -- "$@" --excludes tensorflow-cpu.excludes ;; esac
    uv pip compile "$name.in" "$@" --quiet --no-header --no-annotate --generate-hashes \
        --python-version 3.11 --python-platform x86_64-manylinux_2_28 >"$resolved"
    {
        echo "# Packages of the image environment $name, for Linux x86_64 and CPython 3.11."
        echo "# Made from $name.in by make-lock.sh. Published, hence never edited."
        # uv writes "==", which lets a +cpu build at hand take the place of the CUDA one: the GPU locks say "===".
        # The +cpu build has another digest at each of its origins: that one line carries none.
        awk '/^torch==[^+]*$/ { sub(/==/, "===") }
            /^[^ ]/ { bare = /^torch==[^ ]*\+cpu/ }
            bare && /^ +--hash/ { next }
            bare { sub(/ *\\$/, "") }
            { print }' "$resolved"
    } >"$name.txt"
    sha256sum "$name.txt" >>SHA256SUMS
done
