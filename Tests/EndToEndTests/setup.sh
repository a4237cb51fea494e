#!/bin/sh
# Installs what the end-to-end tests need from Debian: a real OpenStack Swift, and a real browser with fonts for both
# languages of the console. Quick where they are there already.
#
# Debian's python3-swiftclient stays out: its /usr/bin/swift would hide the Swift compiler. The tests take swiftclient
# from PyPI, in their own environment.
set -eu

missing=""
for package in swift-account swift-container swift-object swift-proxy memcached chromium fonts-inter fonts-ipafont-gothic; do
    # Where dpkg knows a package, this prints its state; a removed one is known too.
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "setup.sh: run as root, or install$missing yourself (apt-get install --no-install-recommends$missing)" >&2
    exit 1
fi

# The packages would start their daemons on fixed ports; the tests start their own on free ones.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
install() {
    # shellcheck disable=SC2086 # A list of names.
    apt-get install -y --no-install-recommends $missing </dev/null
}
# The lists may be old or absent: refreshed only where the first try needs it.
install || { apt-get update && install; }
