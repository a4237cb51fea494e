#!/usr/bin/env bash
# Installs the system packages that the build and the sandbox need. Quick where they are there.
set -euo pipefail

packages=(libsqlite3-dev libre2-dev libsimdjson-dev libjs-chart.js bubblewrap python3-venv)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    echo "installing ${missing[*]}"
    "${sudo[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
command -v swift >/dev/null || { echo "Swift 6.3 or later is not on the PATH: https://www.swift.org/install" >&2; exit 1; }
command -v python3 >/dev/null || { echo "python3 is not on the PATH" >&2; exit 1; }
