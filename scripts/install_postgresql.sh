#!/bin/sh
# The proofs of several machines start a PostgreSQL server of their own. Where its programs are missing, Debian's package
# brings them; the server that the package would start for itself is not wanted.
set -e
if command -v pg_ctl >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "PostgreSQL is not here, and neither is apt-get. Install it, so that pg_ctl is on the path." >&2
    exit 1
fi
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"
echo "Installing PostgreSQL for the proofs of several machines"
$as_root apt-get update -qq >/dev/null
$as_root mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq postgresql >/dev/null
