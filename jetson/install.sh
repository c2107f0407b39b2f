#!/bin/sh
# Installs a TeaWatch box on any Linux with systemd, from a checkout of the repository. Running it again upgrades.
#
#   sudo jetson/install.sh                       install or upgrade
#   sudo jetson/install.sh --uninstall           remove the program; keep configuration, identity and unsent records
#   sudo jetson/install.sh --uninstall --purge   remove everything
#
#   --python PATH   the Python to use (3.11 or later); found by itself otherwise
#   --pipelines     install GStreamer from the system's packages as well, for cameras that only a pipeline can open
#   --wheels DIR    install from a folder of wheels, for a place without the internet
#   --root DIR      lay the files out under DIR and touch nothing else: no user, no service (for images and tests)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
source=$(dirname -- "$here")
root='' python='' wheels='' pipelines='' uninstall='' purge=''

say() { echo "teawatch: $*"; }
fail() {
    echo "teawatch: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
    --root | --python | --wheels)
        [ $# -ge 2 ] || fail "$1 needs a value"
        case $1 in
        --root) root=${2%/} ;;
        --python) python=$2 ;;
        --wheels) wheels=$2 ;;
        esac
        shift
        ;;
    --pipelines) pipelines=yes ;;
    --uninstall) uninstall=yes ;;
    --purge) purge=yes ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) fail "no option called '$1'; see --help" ;;
    esac
    shift
done
[ -z "$purge" ] || [ -n "$uninstall" ] || fail "--purge goes with --uninstall"
[ -z "$pipelines" ] || [ -z "$root" ] || fail "--pipelines installs on this machine only, not under --root"

opt=$root/opt/teawatch
etc=$root/etc/teawatch
state=$root/var/lib/teawatch
unit=$root/etc/systemd/system/teawatch-edge.service
journal=$root/etc/systemd/journald.conf.d/teawatch.conf
tool=$root/usr/local/sbin/teawatch-box

on_this_machine() { [ -z "$root" ]; }
with_systemd() { on_this_machine && [ -d /run/systemd/system ]; }

find_python() {
    for candidate in ${python:-python3.14 python3.13 python3.12 python3.11 python3}; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$candidate
            return
        fi
    done
    fail "needs Python 3.11 or later with venv: apt-get install python3-venv, on Ubuntu 22.04 and JetPack 6 python3.11-venv"
}

install_packages() {
    say "installing into $opt (about a minute) ..."
    "$python" -m venv "$opt"
    pip() { "$opt/bin/python" -m pip "$@" --quiet --disable-pip-version-check --no-input; }
    if [ -n "$wheels" ]; then
        pip install --no-index --find-links "$wheels" --require-hashes -r "$source/requirements/edge.txt"
    else
        pip install --require-hashes -r "$source/requirements/edge.txt"
    fi
    pip install --no-deps --no-build-isolation --no-index --force-reinstall "$source"
}

install_pipelines() {
    command -v apt-get >/dev/null || fail "--pipelines needs apt-get; install GStreamer 1 with its base, good and bad plug-ins"
    apt-get install -qy --no-install-recommends libgstreamer1.0-0 \
        gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
}

make_user() {
    getent passwd teawatch >/dev/null ||
        useradd --system --user-group --home-dir /var/lib/teawatch --no-create-home --shell /usr/sbin/nologin \
            --comment 'TeaWatch box' teawatch
    # Who may open USB cameras and the graphics processor.
    for group in video render; do
        if getent group "$group" >/dev/null; then usermod --append --groups "$group" teawatch; fi
    done
}

lay_out_files() {
    install -d -m 0755 "$(dirname "$unit")" "$(dirname "$journal")" "$(dirname "$tool")"
    install -d -m 0750 "$etc"
    install -d -m 0700 "$state"
    install -m 0644 "$here/teawatch-edge.service" "$unit"
    install -m 0644 "$here/journald-teawatch.conf" "$journal"
    install -m 0755 "$here/teawatch-box.sh" "$tool"
    install -m 0644 "$here/guide.md" "$opt/guide.md"
    install -m 0644 "$source/edge/sample.yaml" "$opt/sample.yaml"
    [ -e "$etc/edge.yaml" ] || install -m 0640 "$source/edge/sample.yaml" "$etc/edge.yaml"
    if [ ! -e "$etc/secrets.env" ]; then
        install -m 0600 /dev/null "$etc/secrets.env"
        cat >"$etc/secrets.env" <<'TEXT'
# NAME=value, one a line; edge.yaml refers to it as ${NAME}. For the passwords of cameras.
# Settings of the box stand here as well; without the #:
# TEAWATCH_EDGE_SESSIONS=2
# TEAWATCH_EDGE_METRICS_PORT=8329
TEXT
    fi
    if on_this_machine; then
        chown root:teawatch "$etc" "$etc/edge.yaml"
        chown -R teawatch:teawatch "$state"
    fi
}

install_box() {
    on_this_machine && [ "$(id -u)" -ne 0 ] && fail "needs root: sudo $0"
    find_python
    if on_this_machine; then make_user; fi
    if [ -n "$pipelines" ]; then install_pipelines; fi
    install_packages
    lay_out_files
    if with_systemd; then
        systemctl daemon-reload
        systemctl try-restart systemd-journald.service teawatch-edge.service
    fi
    cat <<TEXT

TeaWatch is installed. What is left to do ($opt/guide.md explains each step):

  1. enrol   at the centre:  teawatch center enrol       it prints a one-time code
             here:           sudo teawatch-box enrol --center ADDRESS --code CODE
  2. watch   sudo teawatch-box discover --user NAME      and sudo teawatch-box probe ADDRESS
             write your cameras, zones and rules into $etc/edge.yaml, passwords into $etc/secrets.env
  3. check   sudo teawatch-box check
  4. start   sudo teawatch-box start                     and look: sudo teawatch-box top
TEXT
}

uninstall_box() {
    on_this_machine && [ "$(id -u)" -ne 0 ] && fail "needs root: sudo $0 --uninstall"
    if with_systemd; then systemctl disable --now teawatch-edge.service 2>/dev/null || true; fi
    rm -rf -- "$opt" "$unit" "$journal" "$tool"
    if with_systemd; then
        systemctl daemon-reload
        systemctl try-restart systemd-journald.service
    fi
    if [ -z "$purge" ]; then
        say "removed; configuration stays in $etc, identity and records in $state (--purge removes them too)"
        return
    fi
    rm -rf -- "$etc" "$state"
    if on_this_machine && getent passwd teawatch >/dev/null; then userdel teawatch; fi
    say "removed with configuration, identity and records"
}

if [ -n "$uninstall" ]; then uninstall_box; else install_box; fi
