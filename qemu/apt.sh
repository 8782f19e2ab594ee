# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
# A private apt: foreign architectures, its own lists and archives in the cache,
# the host's own Debian mirrors and proxy settings. The host's dpkg and apt are
# only read. Sourced after lib.sh.

apt_root=$cache/apt
newer_suite=trixie-backports # has the kernel's source of the newest series; nothing else is taken of it

# private_apt COMMAND... : apt-get or apt-cache on the private state.
private_apt() {
	private_command=$1
	shift
	"$private_command" -c "$apt_root/apt.conf" "$@"
}

# Debian's own entries among the host's sources, as "URI SUITE COMPONENT" lines.
# $1: an apt.conf to read them with.
debian_sources() {
	# shellcheck disable=SC2016 # apt expands these
	apt-get -c "$1" indextargets \
		--format '$(CREATED_BY)|$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' |
		sed -n 's/^Packages|Debian|\([^|]*\)|\([^|]*\)|\([^|]*\)$/\1 \2 \3/p' | sort -u
}

# Where Debian's archive proper is, of the lines of debian_sources: the URI that has a
# suite without a suffix.
archive_of() {
	printf '%s\n' "$1" | awk '$2 !~ /[-\/]/ { print $1; exit }'
}

# Writes the private configuration, and fetches the lists if there are none.
prepare_apt() {
	mkdir -p "$apt_root/lists/partial" "$apt_root/archives/partial" "$apt_root/log"
	[ -e "$apt_root/status" ] || : >"$apt_root/status"
	cat >"$apt_root/apt.conf" <<END
APT::Architecture "arm64";
#clear APT::Architectures;
APT::Architectures { "arm64"; "amd64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$apt_root";
Dir::State::lists "$apt_root/lists";
Dir::State::status "$apt_root/status";
Dir::Cache "$apt_root";
Dir::Cache::archives "$apt_root/archives";
Dir::Log "$apt_root/log";
Dir::Etc::sourcelist "$apt_root/sources.list";
Dir::Etc::sourceparts "/dev/null";
END
	if ! grep -qs " $newer_suite " "$apt_root/sources.list"; then
		say "deriving Debian's sources from this machine's"
		apt_sources=$(debian_sources /dev/null)
		if [ -z "$apt_sources" ]; then
			# The machine has no lists (yet): fetch them, privately, to learn whose they are.
			sed '/^Dir::Etc::source/d' "$apt_root/apt.conf" >"$apt_root/learn.conf"
			apt-get -c "$apt_root/learn.conf" -q update >&2
			apt_sources=$(debian_sources "$apt_root/learn.conf")
		fi
		[ -n "$apt_sources" ] ||
			die "no source of Debian packages is configured on this machine; see sources.list(5)"
		apt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg
		[ -e "$apt_keyring" ] || die "$apt_keyring is missing; install debian-archive-keyring"
		apt_archive=$(archive_of "$apt_sources")
		[ -n "$apt_archive" ] || die "no suite of Debian's archive is configured on this machine"
		# Its Release file says NotAutomatic: a package of it is taken only if asked for by version.
		case $apt_sources in
		*" $newer_suite main"*) ;;
		*) apt_sources="$apt_sources
$apt_archive $newer_suite main" ;;
		esac
		printf '%s\n' "$apt_sources" | while read -r apt_uri apt_suite apt_component; do
			printf 'deb [arch=arm64,amd64 signed-by=%s] %s %s %s\n' \
				"$apt_keyring" "$apt_uri" "$apt_suite" "$apt_component"
		done >"$apt_root/sources.list.new"
		mv "$apt_root/sources.list.new" "$apt_root/sources.list"
		rm -f "$apt_root/updated"
	fi
	if [ ! -e "$apt_root/updated" ]; then
		say "fetching the package lists"
		apt_quiet=-qq
		[ ! -t 2 ] || apt_quiet=
		# shellcheck disable=SC2086 # none or one option
		private_apt apt-get $apt_quiet update --error-on=any >&2 ||
			die "cannot fetch the package lists; is this machine online?"
		: >"$apt_root/updated"
	fi
}

# use_suite SUITE: from here on all is fetched from that suite alone. Its lists are its own: with it among
# the others' sources, all would be taken of it.
use_suite() {
	prepare_apt
	suite_archive=$(archive_of "$(sed 's/^deb \[[^]]*\] //' "$apt_root/sources.list")")
	apt_root=$cache/apt-$1
	mkdir -p "$apt_root"
	printf 'deb [arch=arm64,amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
		"$suite_archive" "$1" >"$apt_root/sources.list.new"
	# prepare_apt takes sources that name the suite it looks for as they are.
	newer_suite=$1
	if ! cmp -s "$apt_root/sources.list.new" "$apt_root/sources.list"; then
		mv "$apt_root/sources.list.new" "$apt_root/sources.list"
		rm -f "$apt_root/updated"
	fi
	prepare_apt
}

# Forgets the lists, so that the next fetch sees what the archive has now.
refresh_apt() {
	rm -f "$apt_root/updated" "$apt_root/sources.list"
}

# download_or_refresh COMMAND...: runs it; if it fails, once more with lists fetched anew,
# since the archive may have moved on.
download_or_refresh() {
	if ! "$@"; then
		say "the archive has moved on; fetching the package lists again"
		rm -f "$apt_root/updated"
		prepare_apt
		"$@" || die "cannot download: is this machine online? If it is, the archive may have" \
			"dropped the kernel that set-up chose: qemu/versions --refresh chooses again"
	fi
}

# fetch DIR PACKAGE...: downloads packages (with an architecture or a version where
# that matters) into DIR.
fetch() {
	fetch_dir=$1
	shift
	mkdir -p "$fetch_dir"
	say "downloading $*"
	download_or_refresh fetch_once "$@"
}

fetch_once() {
	fetch_quiet=-qq
	[ ! -t 2 ] || fetch_quiet=
	# shellcheck disable=SC2086 # none or one option
	(cd "$fetch_dir" && private_apt apt-get $fetch_quiet download "$@" >&2)
}
