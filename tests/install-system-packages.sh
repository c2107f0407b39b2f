#!/bin/sh
# Installs the packages of system-packages.txt that are missing, when it may; otherwise prints the one line that would.
# Never fails: tests that need a missing package are skipped by name (and fail where CI=true).
set -eu
list=$(dirname "$0")/system-packages.txt
command -v dpkg-query >/dev/null || { echo "not a Debian system: the tests that need $(grep -v '^#' "$list" | tr '\n' ' ')will be skipped"; exit 0; }
missing=""
for package in $(grep -v '^#' "$list"); do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then
    echo "Installing for the tests:$missing"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    if apt-get update -q >"$log" 2>&1 && apt-get install -qy --no-install-recommends $missing >>"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 5 "$log"
    rm -f "$log"
fi
echo "Some tests need more packages and will be skipped by name. To run them all:"
echo "    sudo apt-get install --no-install-recommends$missing"
