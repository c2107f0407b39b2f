#!/bin/sh
# What a technician does with an installed box, with the right user and folders. Installed as /usr/local/sbin/teawatch-box.
set -eu

usage() {
    cat <<'TEXT'
teawatch-box enrol --center ADDRESS --code CODE   tie this box to its centre (once)
teawatch-box discover --user NAME                 find cameras on this network, ready for edge.yaml
teawatch-box probe 'ADDRESS'                      what one camera sends, what is wrong with it, what to set
teawatch-box check                                try configuration, cameras, model and centre
teawatch-box start | stop | restart               the service; `start` also starts it at every boot
teawatch-box reload                               take up a changed edge.yaml; other cameras notice nothing
teawatch-box top                                  watch it at work: cameras, rates, gates, queue, temperature
teawatch-box reference CAMERA                     a camera was turned on purpose: learn its view anew
teawatch-box status                               is it running, what does it say
teawatch-box log                                  follow the log
TEXT
}

fail() {
    echo "teawatch-box: $1" >&2
    exit 1
}

# The same user, folders and secrets as the service: only systemd reads the file of secrets, so only one meaning of it.
# With both --pty and --pipe, systemd-run takes a terminal where there is one, to type a password or to watch `top`.
as_box() {
    # systemd would fill ${NAME} in itself, and every process could read the password: $$ reaches the program as $.
    for word; do
        shift
        set -- "$@" "$(printf %s "$word" | sed 's/\$/$$/g')"
    done
    exec systemd-run --quiet --collect --wait --pty --pipe --service-type=exec \
        --property=User=teawatch --property=Group=teawatch --property=UMask=0077 \
        --property=StateDirectory=teawatch --property=WorkingDirectory=/var/lib/teawatch \
        --property=EnvironmentFile=-/etc/teawatch/secrets.env \
        /opt/teawatch/bin/teawatch edge "$@"
}

command=${1:-help}
[ $# -gt 0 ] && shift
case $command in
help | --help | -h) usage; exit 0 ;;
enrol | discover | probe | check | start | stop | restart | reload | top | reference | status | log) ;;
*) usage >&2; fail "no command called '$command'" ;;
esac
[ "$(id -u)" -eq 0 ] || fail "needs root: sudo teawatch-box $command $*"

case $command in
enrol) as_box enrol --state /var/lib/teawatch "$@" ;;
check) as_box check /etc/teawatch/edge.yaml --state /var/lib/teawatch "$@" ;;
discover | probe | top | reference) as_box "$command" "$@" ;;
start) systemctl enable --now teawatch-edge.service ;;
stop) systemctl disable --now teawatch-edge.service ;;
restart) systemctl restart teawatch-edge.service ;;
reload) systemctl reload teawatch-edge.service ;;
status) systemctl status --no-pager teawatch-edge.service ;;
log) journalctl --unit teawatch-edge.service --follow --lines 50 --output cat ;;
esac
