#!/bin/sh
# Renews requirements/*.txt: every package pinned, with the hashes of all its files, for every supported Python and
# both architectures; no index address is written. dev.txt is solved first and binds the others to the same versions.
set -eu
uv=$1
lock() {
    out=$1; shift
    "$uv" pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-index-url --no-emit-find-links --quiet --upgrade --output-file "$out" "$@"
    echo "$out"
}
lock requirements/dev.txt --extra dev
lock requirements/demo.txt --extra edge --extra center --extra build --constraint requirements/dev.txt
lock requirements/edge.txt --extra edge --extra build --constraint requirements/dev.txt
lock requirements/center.txt --extra center --extra build --constraint requirements/dev.txt
