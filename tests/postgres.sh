# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# A PostgreSQL of a test's own, below its temporary directory, which nobody else can reach: at a Unix
# socket there. Sourced; whoever does calls postgres_stop on every way out.

postgres_pid=

# It does not run as root, which tests may: then as the user that Debian's package has made.
as_postgres() { # COMMAND...
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
	else
		"$@"
	fi
}

# postgres_start DIRECTORY [SETTING=VALUE]...: made if it is not there; its URL is $postgres_url
postgres_start() {
	postgres_at=$1
	shift
	postgres_bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)
	if [ ! -d "$postgres_at" ]; then
		mkdir -p "$postgres_at"
		chmod 755 "${postgres_at%/*}"
		[ "$(id -u)" -ne 0 ] || chown postgres: "$postgres_at"
		as_postgres "$postgres_bin/initdb" --pgdata "$postgres_at/data" --username fleet --auth trust \
			--encoding UTF8 --locale C --no-sync >"$postgres_at.initdb" 2>&1 || { cat "$postgres_at.initdb"; return 1; }
	fi
	postgres_settings="listen_addresses= unix_socket_directories=$postgres_at $*"
	set --
	for postgres_setting in $postgres_settings; do
		set -- "$@" -c "$postgres_setting"
	done
	(cd / && as_postgres "$postgres_bin/postgres" -D "$postgres_at/data" "$@" >"$postgres_at.log" 2>&1) &
	for _ in $(seq 600); do
		postgres_pid=$(head -n 1 "$postgres_at/data/postmaster.pid" 2>/dev/null)
		! as_postgres "$postgres_bin/pg_isready" -q -h "$postgres_at" || break
		sleep 0.05
	done
	as_postgres "$postgres_bin/pg_isready" -q -h "$postgres_at" || { cat "$postgres_at.log"; return 1; }
	# shellcheck disable=SC2034 # for who sources this
	postgres_url="postgresql:///postgres?host=$postgres_at&user=fleet"
}

postgres_stop() {
	[ -n "$postgres_pid" ] || return 0
	kill -INT "$postgres_pid" 2>/dev/null
	for _ in $(seq 600); do
		kill -0 "$postgres_pid" 2>/dev/null || break
		sleep 0.05
	done
	postgres_pid=
}
