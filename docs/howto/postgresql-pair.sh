#!/usr/bin/env bash
# How to try a failover: a PostgreSQL primary and its synchronous standby on this machine
#
# Both servers use the loopback interface. The tests use this script, too. postgresql-standby.md in
# this folder explains each step.
#
#   postgresql-pair.sh start DIR     create a pair in DIR, or start the existing pair
#   postgresql-pair.sh status DIR    show each server's role, and whether the standby keeps up
#   postgresql-pair.sh promote DIR   make the standby the primary; the other server must be down
#   postgresql-pair.sh rejoin DIR    make the server that is down the standby of the new primary
#   postgresql-pair.sh release DIR   let the primary work without a standby; `rejoin` ends that
#   postgresql-pair.sh stop DIR      stop both servers
#   postgresql-pair.sh remove DIR    stop both servers and delete DIR
#
# The servers are called `one` and `two`. `start DIR one` and `stop DIR one` apply to one of them.
#
# PG_BIN      the folder with initdb, pg_ctl, pg_basebackup, pg_rewind and psql (default: the folder
#             of the initdb on the PATH, else the newest in /usr/lib/postgresql)
# PG_USER     the user that runs the servers if root calls this (default: postgres, else nobody)
# PORT_ONE, PORT_TWO   the servers' ports (default: two free ports)
# PAIR_SETTINGS        further lines for postgresql.conf
# PAIR_FSYNC=off       faster; nothing is lost if processes die, but all may be if the machine does
set -euo pipefail

die() {
    echo "postgresql-pair: $*" >&2
    exit 1
}

usage() {
    sed -n 's/^#   \(postgresql-pair.sh\)/\1/p' "$0" >&2
    exit 2
}

find_binaries() {
    local found
    if [ -n "${PG_BIN:-}" ]; then
        bin=$PG_BIN
    elif found=$(command -v initdb); then
        bin=$(dirname "$(readlink -f "$found")")
    else
        bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
    fi
    [ -x "${bin:-nowhere}/initdb" ] || die "initdb not found: install PostgreSQL, or set PG_BIN to its folder"
}

# PostgreSQL refuses to run as root. If root calls this, another user runs each server command.
as_server() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid "$pg_user" --regid "$(id -g "$pg_user")" --clear-groups "$@"
    else
        "$@"
    fi
}

# The folder is private. Users who can enter it can connect through the sockets in it without a
# password. Network connections need the password, which is in `passfile`.
make_folder() {
    # The name becomes part of URLs and settings, and a socket's path has at most 107 bytes.
    [[ $dir =~ ^[A-Za-z0-9/._-]{1,85}$ ]] || die "$dir is not a valid name: use at most 85 letters, digits and . _ - /"
    # The folder changes its owner and is closed to other users. Never do that to a folder in use.
    [ -z "$(ls -A "$dir" 2>/dev/null)" ] || die "$dir is not empty and does not contain a pair: name a new folder"
    mkdir -p "$dir"
    [ "$(id -u)" != 0 ] || chown "$pg_user" "$dir"
    chmod 700 "$dir"
    as_server test -w "$dir" || die "the user $pg_user cannot enter $dir: a folder above it does not permit it"
    local password
    password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
    echo "*:*:*:*:$password" | keep passfile
    chmod 600 "$dir/passfile"
    read -r one two < <(free_ports)
    printf 'one=%s\ntwo=%s\n' "${PORT_ONE:-$one}" "${PORT_TWO:-$two}" | keep ports
}

keep() { # NAME: write stdin to a file of the servers' user
    cat >"$dir/$1"
    [ "$(id -u)" != 0 ] || chown "$pg_user" "$dir/$1"
}

free_ports() {
    local port found=()
    while [ ${#found[@]} -lt 2 ]; do
        port=$((20000 + RANDOM % 12000))
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || found+=("$port")
    done
    echo "${found[@]}"
}

port_of() { sed -n "s/^$1=//p" "$dir/ports"; }
other_than() { if [ "$1" = one ]; then echo two; else echo one; fi; }
runs() { # A killed server that its parent has not yet reaped (state Z) does not run.
    as_server "$bin/pg_ctl" status -D "$dir/$1" >/dev/null 2>&1 &&
        ! grep -qs '^State:.Z' "/proc/$(head -1 "$dir/$1/postmaster.pid")/status"
}
is_standby() { [ -e "$dir/$1/standby.signal" ]; }

# A commit waits until the standby has flushed it to its disk, too.
settings() {
    cat <<'CONF'
listen_addresses = '127.0.0.1'
password_encryption = scram-sha-256
wal_level = replica
synchronous_commit = on
hot_standby = on
hot_standby_feedback = on      # The primary keeps the rows that queries on the standby read.
wal_keep_size = 512MB          # How far a standby can fall behind and still catch up.
wal_log_hints = on             # pg_rewind needs this, or checksums.
wal_receiver_timeout = 10s
wal_retrieve_retry_interval = 500ms
logging_collector = off
CONF
    printf '%s\n' "${PAIR_FSYNC:+fsync = $PAIR_FSYNC}" "${PAIR_SETTINGS:-}"
}

make_primary() {
    sed 's/.*://' "$dir/passfile" | keep password
    as_server "$bin/initdb" -D "$dir/one" -U postgres --encoding=UTF8 --locale=C \
        -A scram-sha-256 --auth-local=trust --pwfile="$dir/password" $no_sync >/dev/null
    rm "$dir/password"
    settings | as_server tee -a "$dir/one/postgresql.conf" >/dev/null
    start_one one
    local password
    password=$(sed 's/.*://' "$dir/passfile")
    sql one "CREATE ROLE replicator REPLICATION LOGIN PASSWORD '$password'"
    sql one "CREATE ROLE ledger LOGIN PASSWORD '$password'"
    sql one "CREATE DATABASE ledger OWNER ledger"
}

start_one() { # NAME
    as_server "$bin/pg_ctl" start -w -t "${PAIR_TIMEOUT:-60}" -D "$dir/$1" -l "$dir/$1.log" \
        -o "-p $(port_of "$1") -k $dir" </dev/null >/dev/null ||
        die "$1 did not start: $(tail -3 "$dir/$1.log")"
}

sql() { # NAME STATEMENT
    as_server "$bin/psql" -XqAt -v ON_ERROR_STOP=1 -h "$dir" -p "$(port_of "$1")" -U postgres postgres -c "$2"
}

copy_of() { # NAME: the connection by which the other server copies and follows it
    echo "host=127.0.0.1 port=$(port_of "$1") user=replicator passfile=$dir/passfile application_name=$(other_than "$1")"
}

follow() { # NAME: start it as the standby of the other server
    local other
    other=$(other_than "$1")
    as_server tee -a "$dir/$1/postgresql.auto.conf" >/dev/null <<CONF
primary_conninfo = '$(copy_of "$other")'
synchronous_standby_names = ''
CONF
    as_server touch "$dir/$1/standby.signal"
    start_one "$1"
    # From now on each commit waits for this standby.
    sql "$other" "ALTER SYSTEM SET synchronous_standby_names = '$1'"
    sql "$other" "SELECT pg_reload_conf()" >/dev/null
    for _ in $(seq $((10 * ${PAIR_TIMEOUT:-60}))); do
        [ "$(sql "$other" "SELECT sync_state FROM pg_stat_replication WHERE application_name = '$1'")" != sync ] || return 0
        sleep 0.1
    done
    die "$1 does not follow $other: $(tail -3 "$dir/$1.log")"
}

copy() { # NAME: create it as a copy of the other server
    rm -rf "${dir:?}/$1"
    as_server "$bin/pg_basebackup" -D "$dir/$1" -d "$(copy_of "$(other_than "$1")")" -X stream -c fast $no_sync
}

primary() {
    local name
    for name in one two; do
        if [ -d "$dir/$name" ] && runs "$name" && ! is_standby "$name"; then
            echo "$name"
            return
        fi
    done
    die "no primary is running: use \`start\` or \`promote\`"
}

url() {
    echo "postgresql://ledger@127.0.0.1:$(port_of one),127.0.0.1:$(port_of two)/ledger?target_session_attrs=read-write&passfile=$dir/passfile"
}

start() {
    if [ ! -d "$dir/one" ]; then
        make_folder
        make_primary
        copy two
        follow two
    else
        is_standby one || is_standby two ||
            die "neither server is a standby: start the newer primary by hand, then \`rejoin\` the other"
        local name
        # Start the primary first. It answers queries while it waits for the standby.
        for name in $which; do is_standby "$name" || runs "$name" || start_one "$name"; done
        for name in $which; do runs "$name" || start_one "$name"; done
    fi
    url
}

status() {
    local name role
    for name in one two; do
        if ! runs "$name"; then
            echo "$name  port $(port_of "$name")  down"
        elif is_standby "$name"; then
            role=$(sql "$name" "SELECT 'standby, has replayed ' || pg_last_wal_replay_lsn()")
            echo "$name  port $(port_of "$name")  $role"
        else
            role=$(sql "$name" "SELECT 'primary, at ' || pg_current_wal_lsn() || ', ' || coalesce(
                (SELECT string_agg(application_name || ' is ' || sync_state, ', ') FROM pg_stat_replication),
                CASE current_setting('synchronous_standby_names') WHEN '' THEN 'works without a standby'
                ELSE 'waits for ' || current_setting('synchronous_standby_names') END)")
            echo "$name  port $(port_of "$name")  $role"
        fi
    done
    url
}

promote() {
    local name
    for name in one two; do
        if is_standby "$name"; then
            # Two primaries would be two histories.
            ! runs "$(other_than "$name")" || die "$(other_than "$name") is running: stop it first, permanently"
            runs "$name" || start_one "$name"
            as_server "$bin/pg_ctl" promote -w -D "$dir/$name" >/dev/null
            echo "$name is the primary, without a standby until \`rejoin\`"
            url
            return
        fi
    done
    die "there is no standby to promote"
}

rejoin() {
    local now old
    now=$(primary)
    old=$(other_than "$now")
    ! runs "$old" || die "$old is running: \`stop\` it first"
    sql "$now" CHECKPOINT # pg_rewind needs it to see the new timeline.
    if is_standby "$old"; then
        echo "$old continues where it stopped"
    elif as_server "$bin/pg_rewind" -D "$dir/$old" $no_sync --source-server="host=$dir port=$(port_of "$now") user=postgres dbname=postgres" >>"$dir/$old.log" 2>&1; then
        echo "$old was rewound to the point where $now was promoted"
    else
        echo "$old cannot be rewound and is copied again"
        copy "$old"
    fi
    follow "$old"
    echo "$old follows $now"
}

release() {
    local name
    name=$(primary)
    sql "$name" "ALTER SYSTEM SET synchronous_standby_names = ''"
    sql "$name" "SELECT pg_reload_conf()" >/dev/null
    echo "$name works without a standby: commits are now on one disk only"
}

stop() {
    local name
    for name in $which; do # Stop the primary first, so that its last commits reach the standby.
        ! { [ -d "$dir/$name" ] && ! is_standby "$name" && runs "$name"; } || stop_one "$name"
    done
    for name in $which; do
        ! { [ -d "$dir/$name" ] && runs "$name"; } || stop_one "$name"
    done
}

stop_one() {
    as_server "$bin/pg_ctl" stop -w -m fast -t 30 -D "$dir/$1" >/dev/null || ! runs "$1" ||
        as_server "$bin/pg_ctl" stop -w -m immediate -D "$dir/$1" >/dev/null
}

remove() {
    stop
    rm -rf "${dir:?}"
}

[ $# = 2 ] || [[ $# = 3 && $1 =~ ^(start|stop)$ && $3 =~ ^(one|two)$ ]] || usage
which=${3:-one two}
find_binaries
no_sync=$([ "${PAIR_FSYNC:-on}" = on ] || echo --no-sync)
pg_user=${PG_USER:-$(id -un postgres 2>/dev/null || echo nobody)}
dir=$(readlink -m "$2")
cd / # A folder that the servers' user can enter.
[ "$1" = start ] || [ -f "$dir/ports" ] || [[ ! $1 =~ ^(stop|status|promote|rejoin|release|remove)$ ]] || die "$dir does not contain a pair: create one with \`start\`"
case $1 in
    start | stop | status | promote | rejoin | release | remove) "$1" ;;
    *) usage ;;
esac
