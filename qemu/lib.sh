# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# What the scripts of the bed share: the cache, its locks, publishing by rename,
# and messages. Sourced, after `here` was set to the directory of the scripts.
#
# A cached thing is a directory <cache>/<name>-<key>: the key is a hash of all that
# it was made from, so nothing in the cache is ever changed, only made anew beside
# it. It is built in <cache>/tmp and renamed when complete: what is there is whole.

set -eu
umask 022
LC_ALL=C
export LC_ALL

here=${here:?}
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/assay
own_series=6.12        # of most kernels
built_series="6.12 7.3" # a kernel of these is built here
all_series="$built_series 6.1"
host_arch=$(dpkg --print-architecture)
cross=aarch64-linux-gnu-

program=${0##*/}

say() {
	printf '%s: %s\n' "$program" "$*" >&2
}

die() {
	printf '%s: error: %s\n' "$program" "$*" >&2
	exit 1
}

# series_of FLAVOUR: the series of its kernel
series_of() {
	case $1 in
	6.1 | 7.3) echo "$1" ;;
	*) echo "$own_series" ;;
	esac
}

# The hash of all arguments; an argument @FILE stands for that file's content.
key_of() {
	for arg; do
		case $arg in
		@*) sha256sum <"${arg#@}" ;;
		*) printf '%s\n' "$arg" ;;
		esac
	done | sha256sum | cut -c1-12
}

# Serialise with other runs on this cache; held until this shell ends.
lock() {
	mkdir -p "$cache/lock"
	exec 9>"$cache/lock/$1"
	if ! flock -n 9; then
		say "waiting for another run that is making $1"
		flock 9
	fi
}

# A fresh directory on the cache's file system, removed when the script ends. The caller
# holds the lock of that name, so what an interrupted run left goes too.
make_temporary() {
	mkdir -p "$cache/tmp"
	rm -rf --one-file-system "${cache:?}/tmp/$1".??????
	temporary=$(mktemp -d "$cache/tmp/$1.XXXXXX")
	trap 'rm -rf --one-file-system "$temporary"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# publish DIR NAME-KEY: makes the complete directory visible under its name.
publish() {
	chmod 755 "$1"
	sync -f "$1"
	mv -T "$1" "$cache/$2"
}

# link_to NAME-KEY LINK: (re)points a symlink of the build tree into the cache.
link_to() {
	[ -n "$2" ] || return 0
	mkdir -p "$(dirname "$2")"
	if [ "$(readlink "$2" 2>/dev/null)" != "$cache/$1" ]; then
		ln -sfn "$cache/$1" "$2"
	fi
}

# Runs a long command with its output in a log, showing the seconds and, on a
# terminal, how many lines it has written; the end of the log if it fails.
# quietly TITLE LOG COMMAND...
quietly() {
	quiet_title=$1 quiet_log=$2
	shift 2
	quiet_start=$(date +%s)
	"$@" >"$quiet_log" 2>&1 9>&- &
	quiet_pid=$!
	trap 'kill "$quiet_pid" 2>/dev/null; exit 130' INT
	trap 'kill "$quiet_pid" 2>/dev/null; exit 143' TERM HUP
	[ -t 2 ] || say "$quiet_title ..."
	while kill -0 "$quiet_pid" 2>/dev/null; do
		if [ -t 2 ]; then
			printf '\r%s: %s ... %4d s, %6d lines' "$program" "$quiet_title" \
				$(($(date +%s) - quiet_start)) "$(wc -l <"$quiet_log")" >&2
		fi
		sleep 0.5
	done
	quiet_status=0
	wait "$quiet_pid" || quiet_status=$?
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	[ ! -t 2 ] || printf '\r\033[K' >&2
	if [ "$quiet_status" -ne 0 ]; then
		tail -n 40 "$quiet_log" >&2
		die "$quiet_title failed (status $quiet_status)"
	fi
	say "$quiet_title: done in $(($(date +%s) - quiet_start)) s"
}
