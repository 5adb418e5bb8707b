#!/usr/bin/env bash
# A PostgreSQL primary and its synchronous standby on this machine's loopback: to try failover out,
# and for the tests. postgresql-standby.md beside this file explains each step and what it is for.
#
#   postgresql-pair.sh start DIR     make the pair in DIR, or start the one that is there
#   postgresql-pair.sh status DIR    who is what, and whether the standby keeps up
#   postgresql-pair.sh promote DIR   the standby becomes the primary; the other one must be down
#   postgresql-pair.sh rejoin DIR    the one that is down becomes the new primary's standby
#   postgresql-pair.sh release DIR   let the primary go on without a standby (rejoin ends that, of one that is down)
#   postgresql-pair.sh stop DIR      stop both
#   postgresql-pair.sh remove DIR    stop both and delete DIR
#
# After `start DIR` and `stop DIR` may stand `one` or `two`, which is what the servers are called.
#
# PG_BIN      the folder with initdb, pg_ctl, pg_basebackup, pg_rewind and psql; else that of the
#             initdb on the PATH, else the newest in /usr/lib/postgresql
# PG_USER     as whom the servers run when root calls this (default: postgres, else nobody)
# PORT_ONE, PORT_TWO   default: two free ones
# PAIR_SETTINGS        further lines of postgresql.conf
# PAIR_FSYNC=off       quicker: nothing is lost when processes die, all may be when the machine does
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
    [ -x "${bin:-nowhere}/initdb" ] || die "no initdb found: install PostgreSQL, or name its folder with PG_BIN"
}

# PostgreSQL does not run as root: there, everything that touches the servers is done as another.
as_server() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid "$pg_user" --regid "$(id -g "$pg_user")" --clear-groups "$@"
    else
        "$@"
    fi
}

# The folder is private. Whoever can enter it is trusted at the sockets in it; through the network
# a password is asked for, which lies in the file that libpq's parameter `passfile` names.
make_folder() {
    # It stands in URLs and settings; and a socket's name may have 107 bytes.
    [[ $dir =~ ^[A-Za-z0-9/._-]{1,85}$ ]] || die "$dir: name a folder with letters, digits, . _ - only, and 85 at most"
    # It is given away and closed to others, which must not happen to what somebody keeps there.
    [ -z "$(ls -A "$dir" 2>/dev/null)" ] || die "$dir is not empty, and holds no pair: name a new folder"
    mkdir -p "$dir"
    [ "$(id -u)" != 0 ] || chown "$pg_user" "$dir"
    chmod 700 "$dir"
    as_server test -w "$dir" || die "the user $pg_user cannot enter $dir: a folder above it is closed"
    local password
    password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
    echo "*:*:*:*:$password" | keep passfile
    chmod 600 "$dir/passfile"
    read -r one two < <(free_ports)
    printf 'one=%s\ntwo=%s\n' "${PORT_ONE:-$one}" "${PORT_TWO:-$two}" | keep ports
}

keep() { # NAME: what is piped in, as a file of the servers' user
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
runs() { # Not so one that was killed and whose parent has not noticed yet.
    as_server "$bin/pg_ctl" status -D "$dir/$1" >/dev/null 2>&1 &&
        ! grep -qs '^State:.Z' "/proc/$(head -1 "$dir/$1/postmaster.pid")/status"
}
is_standby() { [ -e "$dir/$1/standby.signal" ]; }

# Durable even to the disk of the standby: a commit waits until it was flushed there as well.
settings() {
    cat <<'CONF'
listen_addresses = '127.0.0.1'
password_encryption = scram-sha-256
wal_level = replica
synchronous_commit = on
hot_standby = on
hot_standby_feedback = on      # What the standby reads is not cleaned away under it.
wal_keep_size = 512MB          # How far a standby may fall behind and still catch up.
wal_log_hints = on             # Without this, or checksums, pg_rewind cannot work.
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

copy_of() { # NAME: how the other reaches it to copy and to follow it
    echo "host=127.0.0.1 port=$(port_of "$1") user=replicator passfile=$dir/passfile application_name=$(other_than "$1")"
}

follow() { # NAME: begin as the standby of the other
    local other
    other=$(other_than "$1")
    as_server tee -a "$dir/$1/postgresql.auto.conf" >/dev/null <<CONF
primary_conninfo = '$(copy_of "$other")'
synchronous_standby_names = ''
CONF
    as_server touch "$dir/$1/standby.signal"
    start_one "$1"
    # From now on a commit waits for it.
    sql "$other" "ALTER SYSTEM SET synchronous_standby_names = '$1'"
    sql "$other" "SELECT pg_reload_conf()" >/dev/null
    for _ in $(seq $((10 * ${PAIR_TIMEOUT:-60}))); do
        [ "$(sql "$other" "SELECT sync_state FROM pg_stat_replication WHERE application_name = '$1'")" != sync ] || return 0
        sleep 0.1
    done
    die "$1 does not follow $other: $(tail -3 "$dir/$1.log")"
}

copy() { # NAME: as a copy of the other
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
    die "there is no primary that runs"
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
            die "neither is a standby: start the newer primary by hand, then \`rejoin\` the other"
        local name
        # The primary first: it may be asked while it waits for the standby.
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
                CASE current_setting('synchronous_standby_names') WHEN '' THEN 'goes on alone'
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
            ! runs "$(other_than "$name")" || die "$(other_than "$name") runs: stop it first, for good"
            runs "$name" || start_one "$name"
            as_server "$bin/pg_ctl" promote -w -D "$dir/$name" >/dev/null
            echo "$name is the primary, without a standby until \`rejoin\`"
            url
            return
        fi
    done
    die "there is no standby"
}

rejoin() {
    local now old
    now=$(primary)
    old=$(other_than "$now")
    ! runs "$old" || die "$old runs: \`stop\` it first"
    sql "$now" CHECKPOINT # So that pg_rewind sees the new timeline.
    if is_standby "$old"; then
        echo "$old goes on where it was"
    elif as_server "$bin/pg_rewind" -D "$dir/$old" $no_sync --source-server="host=$dir port=$(port_of "$now") user=postgres dbname=postgres" >>"$dir/$old.log" 2>&1; then
        echo "$old was wound back to where $now left it"
    else
        echo "$old cannot be wound back, and is copied anew"
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
    echo "$name goes on alone: what it acknowledges from now on is on one disk"
}

stop() {
    local name
    for name in $which; do # Before its standby stops, the primary's last commits get there.
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
cd / # Where whoever the servers run as can be.
[ "$1" = start ] || [ -f "$dir/ports" ] || [[ ! $1 =~ ^(stop|status|promote|rejoin|release|remove)$ ]] || die "$dir is no pair"
case $1 in
    start | stop | status | promote | rejoin | release | remove) "$1" ;;
    *) usage ;;
esac
