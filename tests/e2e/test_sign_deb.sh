#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay sign --deb`: packages that dpkg-deb made, with each compression, against what dpkg-deb unpacks
# and fsverity computes; and packages that are broken or hostile.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
work=$(mktemp -d "${TMPDIR:-/tmp}/sign-deb.XXXXXX")
CHECK_OUT=$work
. tests/check.sh
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$work"

sign() { # ARGUMENT...
	rm -f m m.*
	run "$assay" sign --deb --key key.pem --cert cert.pem --manifest m "$@"
}

# refused WORDS...: and no manifest is written
refused() {
	told 1 "$@" && [ ! -e m ]
}

lines() {
	tail -n +2 m | jq -r '"\(.path) \(.package)_\(.version)_\(.architecture)"'
}

listed() { # FILE: just what it says, by a command that worked
	[ "$status" -eq 0 ] && lines | diff "$1" - >&2
}

# Of tar archives of the directory: deb FILE [CONTROL [DATA]], each not compressed.
deb() {
	printf '2.0\n' >debian-binary
	cp "${2:-control.tar}" control.tar.tmp && cp "${3:-data.tar}" data.tar.tmp
	mkdir -p ar && cp debian-binary ar/ && mv control.tar.tmp ar/control.tar && mv data.tar.tmp ar/data.tar
	rm -f "$1"
	(cd ar && ar qcS "../$1" debian-binary control.tar data.tar)
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer \
	-keyout key.pem -out cert.pem -days 10 2>/dev/null
mkdir -p p/DEBIAN p/usr/bin p/lib/deep p/etc q/DEBIAN q/usr/bin
printf 'Package: p\nVersion: 1:2-3\nArchitecture: all\nMaintainer: n <n@example.org>\nDescription: d\n' >p/DEBIAN/control
sed 's/^Package: p/Package: q/' p/DEBIAN/control >q/DEBIAN/control
echo /etc/p.conf >p/DEBIAN/conffiles
echo setting >p/etc/p.conf
echo program >p/usr/bin/p
seq 100000 >'p/usr/bin/a b'
: >p/lib/deep/empty
ln p/usr/bin/p p/usr/bin/hard
ln -s p p/usr/bin/soft
mkfifo p/usr/bin/fifo
echo q >q/usr/bin/q
cat >wanted <<'END'
/usr/bin/a b p_1:2-3_all
/usr/bin/hard p_1:2-3_all
/usr/bin/p p_1:2-3_all
/usr/bin/q q_1:2-3_all
/usr/lib/deep/empty p_1:2-3_all
END
dpkg-deb --root-owner-group -Znone -b q q.deb >/dev/null
for compression in none gzip xz zstd; do
	dpkg-deb --root-owner-group -Z$compression -b p p-$compression.deb >/dev/null
	sign p-$compression.deb q.deb
	check "packages with $compression: the files, where a system of today has them" listed wanted
done
check 'configuration files are counted' prints 0 '; 1 configuration files were left out'
mkdir unpacked && dpkg-deb -x p-xz.deb unpacked && mv unpacked/lib unpacked/usr/lib && cp q/usr/bin/q unpacked/usr/bin/
digests() {
	tail -n +2 m | jq -r '"\(.digest) \(.path)"' | while read -r digest path; do
		[ "$digest" = "sha256:$(fsverity digest --compact "unpacked$path")" ] || return 1
	done
}
check 'each has the digest that fsverity has of it unpacked' digests
run "$assay" check --manifest m --ca cert.pem --root unpacked
check 'so they are as signed once they are installed' told 0
sign --hash sha512 --block-size 1024 --salt 00ff p-xz.deb
check 'with other parameters, too' sh -c "[ $status -eq 0 ] && [ \"\$(sed -n 2p m | jq -r .digest)\" = \
	\"sha512:\$(fsverity digest --compact --hash-alg sha512 --block-size 1024 --salt 00ff 'unpacked/usr/bin/a b')\" ]"
sign --conffiles p-xz.deb
check 'configuration files, if they are asked for' sh -c 'grep -q "\"path\":\"/etc/p.conf\"" m'
sign --exclude /usr/bin --json p-xz.deb
check 'patterns choose, and JSON tells' jq -e '.source == "deb" and .file_count == 1 and .configuration_files == 1' stdout

mkdir -p r/DEBIAN r/usr/share/r
sed 's/^Package: p/Package: r/' p/DEBIAN/control >r/DEBIAN/control
for number in $(seq 1000); do
	echo "$number" >"r/usr/share/r/$number"
done
dpkg-deb --root-owner-group -Znone -b r r.deb >/dev/null
sign r.deb
check 'a package of many files' sh -c "[ $status -eq 0 ] && [ \"\$(tail -n +2 m | wc -l)\" -eq 1000 ]"

# ---------------------------------------------------------------- who reads it
# The one that waits for a package's bytes, in which nothing is left of what it does not need.
confined() {
	reader=
	for reader_status in /proc/[0-9]*/status; do
		grep -qsx 'Name:	assay-contents' "$reader_status" || continue
		reader_parent=$(sed -n 's/^PPid:	//p' "$reader_status" 2>/dev/null) || continue
		grep -qsx 'Name:	assay-contents' "/proc/$reader_parent/status" || continue
		reader=${reader_status%/status}
		[ "$(readlink "$reader"/fd/* 2>/dev/null | grep -c "^$work/p.fifo$")" -gt 0 ] || continue
		# Not before: it has the package once it is confined.
		cp "$reader_status" reader.status && return
	done
	return 1
}
mkfifo p.fifo
exec 9<>p.fifo
"$assay" sign --deb --key key.pem --cert cert.pem --manifest m.fifo p.fifo >sign.out 2>&1 9<&- &
signing=$!
tries=600
until confined || [ $tries -eq 0 ]; do
	tries=$((tries - 1))
	sleep 0.1
done
check 'what reads a package has no capabilities, gets none, and has few system calls' \
	sh -c 'grep -qx "Seccomp:	2" reader.status && grep -qx "CapEff:	0*" reader.status && grep -qx "CapPrm:	0*" reader.status && grep -qx "NoNewPrivs:	1" reader.status'
check 'it has its output, who opens files, and the package' \
	[ "$(readlink "$reader"/fd/* | sed "s#^$work/##; s/:.*//" | sort | tr '\n' ' ')" = 'p.fifo pipe sign.out socket ' ]
cat p-none.deb >&9
exec 9>&-
signed=0
wait $signing || signed=$?
check 'and reads what is no regular file, too' [ "$signed" -eq 0 ]

# ---------------------------------------------------------------- what is no package
(cd p/DEBIAN && tar -cf ../../control.tar ./control)
(cd p && tar -cf ../data.tar ./usr)
deb good.deb
sign good.deb
check 'one that is put together by hand is one, too' told 0
sign nothing.deb
check 'one that is not there is told' refused 'cannot open nothing.deb: No such file'
sign key.pem
check 'one that is none' refused 'key.pem: '
: >empty.deb
sign empty.deb
check 'one that is empty' refused 'empty.deb: '
head -c 700 p-xz.deb >cut.deb
sign cut.deb
check 'one that is cut off' refused 'cut.deb, '
head -c 200 p-none.deb >cut.deb
sign cut.deb
check 'in its control, too' refused 'cut.deb, control.tar: '
printf '3.0\n' >debian-binary
rm -f old.deb && ar qcS old.deb debian-binary control.tar data.tar
sign old.deb
check 'one of another format' refused 'old.deb, debian-binary: it is not of format 2'
printf '2.0\n' >debian-binary
rm -f order.deb && ar qcS order.deb debian-binary data.tar control.tar
sign order.deb
check 'one in another order' refused 'there is no control.tar in its place'
rm -f part.deb && ar qcS part.deb debian-binary control.tar
sign part.deb
check 'one without data' refused 'there is no data.tar'
tar -cf none.tar wanted
deb none.deb none.tar
sign none.deb
check 'one without a name' refused 'none.deb, control.tar: it has no control'
mkdir bad && printf 'Package: a b\nVersion: 1\nArchitecture: all\n' >bad/control && tar -C bad -cf bad.tar ./control
deb bad.deb bad.tar
sign bad.deb
check 'one with a name that none can have' refused 'Package is not 1 to 255 visible characters'

# ---------------------------------------------------------------- what is hostile
hostile() { # TITLE WORDS: of data.tar in hostile.tar
	deb hostile.deb control.tar hostile.tar
	sign hostile.deb
	check "$1" refused "$2"
}
tar -Pcf hostile.tar --transform 's#^wanted#../../etc/passwd#' wanted
hostile 'a path that leads out of the root is refused' 'hostile.deb, data.tar: the path "../../etc/passwd" has ".." in it'
tar -cf hostile.tar --transform 's#^wanted#usr/x\\n/../../y#' wanted
hostile 'in whatever form' 'in it'
mkdir -p loop && ln -s loop loop/loop && tar -C loop -cf hostile.tar loop && tar -rf hostile.tar --transform 's#^wanted#loop/x#' wanted
hostile 'links that lead round in circles are refused' 'leads through too many links'
mkdir -p out && ln -s /../../../etc out/link && tar -C out -cf hostile.tar link && tar -rf hostile.tar --transform 's#^wanted#link/x#' wanted
deb hostile.deb control.tar hostile.tar
sign hostile.deb
check 'links lead nowhere out of the root' sh -c '[ "$(tail -n +2 m | jq -r .path)" = /etc/x ]'
truncate -s 300G huge && tar -Scf hostile.tar huge && rm huge
hostile 'a file that unpacks to more than fits anywhere is refused' 'it unpacks to more than 256 GiB'
odd=$(printf 'odd\377')
echo odd >"$odd" && tar -cf hostile.tar "$odd"
hostile 'a name that is not UTF-8 is told' 'is not UTF-8'
sign
check 'packages are to be named' told 2 'which packages'
sign --root / p-xz.deb
check 'and no root' told 2 'with --deb and --oci, --root and --files-from have no meaning'
sign --xattr p-xz.deb
check 'nor can what is not unpacked be written to' told 2 'signatures go to the manifest alone'
mkdir alone && cp "$assay" alone/assay
run alone/assay sign --deb --key key.pem --cert cert.pem --manifest m p-xz.deb
check 'without the program that reads packages this is told' told 1 'cannot run .*/assay-contents, which reads packages and images: No such file'
echo "1..$check_number"
exit "$check_failed"
