#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay sign` on trees: what is chosen, links, files that change, where signatures go, and
# that neither an interruption nor a TPM that is gone costs the work that was done.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
work=$(mktemp -d "${TMPDIR:-/tmp}/sign-tree.XXXXXX")
CHECK_OUT=$work
. tests/check.sh
. tests/swtpm.sh
writer=
clean_up() {
	[ -z "$writer" ] || kill "$writer" 2>/dev/null || :
	tpm_stop
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$work"

sign() { # OPTION...
	run "$assay" sign --key key.pem --cert cert.pem --root tree --manifest m "$@"
}

field() { # LINE KEY: a member of the manifest's line
	printf '%s\n' "$1" | sed "s/.*\"$2\":\"\([^\"]*\)\".*/\1/"
}

paths() { # MANIFEST: the paths in it
	tail -n +2 "$1" | sed 's/^{"path":"\([^"]*\)".*/\1/' | tr '\n' ' '
}

json() { # FILTER: true of what the command printed
	jq -e "$1" stdout >/dev/null
}

listed() { # PATHS: just these, by a command that worked
	[ "$status" -eq 0 ] && [ "$(paths m)" = "$1" ]
}

# formatted DIGEST: struct fsverity_formatted_digest of "sha256:HEX"
formatted() {
	printf 'FSVerity\001\000\040\000'
	printf '%s' "${1#sha256:}" | tr a-f A-F | basenc -d --base16
}

accepted() { # MANIFEST: each digest is fsverity's, and each signature openssl's
	tail -n +2 "$1" >lines
	while IFS= read -r line; do
		path=$(field "$line" path)
		digest=$(field "$line" digest)
		[ "$digest" = "sha256:$(fsverity digest --compact "tree$path")" ] || return 1
		field "$line" pkcs7 | base64 -d >signature
		formatted "$digest" >content
		openssl cms -verify -binary -inform DER -in signature -content content -noverify \
			-nointern -certfile cert.pem -out /dev/null 2>/dev/null || return 1
	done <lines
	[ -s lines ]
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer \
	-keyout key.pem -out cert.pem -days 10 2>/dev/null
mkdir -p tree/usr/lib tree/usr/share/doc
for name in usr/lib/a.so usr/lib/b.so usr/lib/c.a usr/share/doc/x usr/share/y top; do
	echo "$name" >"tree/$name"
done
ln tree/usr/lib/a.so tree/usr/lib/a-link.so
ln tree/usr/lib/a.so tree/zzz
ln -s usr/lib tree/lib
# What can be told from its times to be unchanged is older than two seconds.
find tree -type f -exec touch -d '1 hour ago' {} +
sleep 3

echo 1..76
sign --include '*.so'
check '--include takes names' listed '/usr/lib/a-link.so /usr/lib/a.so /usr/lib/b.so '
sign --include /usr/lib --exclude '*.so'
check '--exclude goes before --include' listed '/usr/lib/c.a '
sign --exclude usr/share --exclude zzz --jobs 1
check '--exclude takes directories' \
	listed '/top /usr/lib/a-link.so /usr/lib/a.so /usr/lib/b.so /usr/lib/c.a '
sign --exclude '*'
check 'nothing left is told' told 1 'no regular file below tree that --include and --exclude leave'

list() { # WORDS OPTION...: sign what the words name
	printf '%b' "$1" >list
	shift
	status=0
	"$assay" sign --key key.pem --cert cert.pem --root tree --manifest m --files-from - "$@" \
		<list >stdout 2>stderr || status=$?
}
list 'zzz\n/usr/lib/b.so\n\nusr/lib/b.so\nlib\nusr/share\ntop\n'
check '--files-from takes the files named, once, and no directory' \
	eval 'listed "/top /usr/lib/b.so /zzz " && told 0 "skipped /usr/share"'
touch "tree/new
line"
list 'new\nline\0000top\0000' -0
check '-0 takes names that end in NUL' listed '/new\nline /top '
list 'new\nline\0000' --json
check 'a NUL without -0 is told' told 1 'is it for -0'
rm "tree/new
line"
list 'top\nmissing\nlib/b.so\n../key.pem\n'
check 'a list goes on after what is wrong in it, and names each' \
	told 1 'cannot read /missing: No such file' 'cannot read /lib/b.so: .*symbolic link' \
	'"\.\." is not taken: \.\./key.pem' '3 of 4 files could not be signed' '^  /missing'
check 'and keeps the rest' eval '[ "$(paths m.partial)" = "/top " ]'
rm m.partial
list ''
check 'an empty list is nothing, not all' told 1 'no regular file'
run "$assay" sign --key key.pem --cert cert.pem --root tree --manifest m --files-from list top
check 'a list and paths exclude each other' told 2 'exclude each other'
run "$assay" sign --key key.pem --cert cert.pem --root tree
check 'signatures have to go somewhere' told 2 'where are the signatures to go'
sign --jobs 0
check '--jobs is a number' told 2 'from 1 to'
sign --signatures neither
check '--signatures is a kind' told 2 'must be one of pkcs7, ima, both'

sign
check 'every file and link is listed' eval 'told 0 &&
	listed "/top /usr/lib/a-link.so /usr/lib/a.so /usr/lib/b.so /usr/lib/c.a /usr/share/doc/x /usr/share/y /zzz "'
check 'fsverity and openssl accept all' accepted m
check 'a file with three links was signed once' eval 'prints 0 "; 2 are further links" &&
	[ "$(grep -E "/a.so|/a-link.so|/zzz" m | sed "s/.*pkcs7/pkcs7/" | sort -u | wc -l)" -eq 1 ]'
works 'assay check accepts the manifest' "$assay" check --manifest m --root tree --cert cert.pem
sign --signatures ima
check 'a manifest of IMA signatures only' eval 'told 0 && ! grep -q pkcs7 m && grep -q ima m'
sign --signatures pkcs7
check 'a manifest of built-in signatures only' eval 'told 0 && grep -q pkcs7 m && ! grep -q ima m'

run "$assay" sign --key key.pem --cert cert.pem --root tree --detached
check 'detached signatures need no manifest' told 0
detached() {
	for file in top usr/lib/b.so zzz; do
		formatted "sha256:$(fsverity digest --compact "tree/$file")" >content
		openssl cms -verify -binary -inform DER -in "tree/$file.sig" -content content -noverify \
			-nointern -certfile cert.pem -out /dev/null 2>/dev/null || return 1
	done
}
check 'openssl accepts them' detached
run "$assay" sign --key key.pem --cert cert.pem --root tree --detached
check 'and they are not signed themselves' eval 'told 0 &&
	[ "$(find tree -name "*.sig" | wc -l)" -eq 8 ] && [ -z "$(find tree -name ".assay*")" ]'
find tree -name '*.sig' -delete
ln -s /dev/null tree/top.sig
run "$assay" sign --key key.pem --cert cert.pem --root tree --detached
check 'a link where a signature is to go is not replaced' \
	eval 'told 1 "top.sig: what is there is no regular file" "1 of 8 files" && [ -L tree/top.sig ]'
find tree -name '*.sig' -delete
mkdir dev
if mknod dev/null c 1 3 2>/dev/null; then
	run "$assay" sign --key key.pem --cert cert.pem --root tree --manifest dev/null
	check 'a device is no manifest, and stays' \
		eval 'told 1 "must be a regular file" && [ -c dev/null ] && [ "$(ls dev)" = null ]'
else
	skip 'a device is no manifest, and stays' 'no device can be made here'
fi
mkdir elsewhere
ln -s elsewhere/real linked
run "$assay" sign -k key.pem -c cert.pem -r tree -o linked
check 'a link is followed, and stays one' \
	eval 'told 0 && [ -L linked ] && [ -f elsewhere/real ] && [ "$(ls elsewhere)" = real ]'
works 'and what it names is a good manifest' "$assay" check --manifest linked --root tree --cert cert.pem
run "$assay" sign --key key.pem --cert cert.pem --root tree --manifest a --manifest b
check 'an option given twice is an error' told 2 'manifest'
if setfattr -n security.ima -v 0x00 top.attribute 2>/dev/null || {
	: >top.attribute
	setfattr -n security.ima -v 0x00 top.attribute 2>/dev/null
}; then
	run "$assay" sign --key key.pem --cert cert.pem --root tree --xattr top
	attribute() {
		getfattr --only-values -n security.ima tree/top >value 2>/dev/null
		[ "$(head -c 3 value | od -An -tx1 | tr -d ' ')" = 060304 ] || return 1
		tail -c +10 value >signature
		{
			printf '\006\004'
			fsverity digest --compact tree/top | tr -d '\n' | tr a-f A-F | basenc -d --base16
		} >content
		openssl x509 -in cert.pem -noout -pubkey >public.pem
		openssl dgst -sha256 -verify public.pem -signature signature content >/dev/null
	}
	check 'security.ima is set, and openssl accepts it' attribute
	setfattr -x security.ima tree/top
else
	skip 'security.ima is set, and openssl accepts it' 'security.ima cannot be set here'
fi
mkdir shm
if mount -t ramfs none shm 2>/dev/null; then
	echo x >shm/file
	run "$assay" sign --key key.pem --cert cert.pem --root shm --xattr
	check 'a file system without attributes is told' told 1 'cannot set security.ima of /file'
	umount shm
else
	skip 'a file system without attributes is told' 'nothing can be mounted here'
fi

# ------------------------------------------------------------------ what changed and what not
# Of a small file in page cache the digest is computed again, which takes less than to check a
# signature: those here are larger.
write() { # TEXT FILE
	printf '%b' "$1" >"$2"
	truncate -s 300K "$2"
}
find tree -type f -exec truncate -s 300K {} + -exec touch -d '1 hour ago' {} +
sleep 3
sign --product 'gateway "x"'
cp m one
cp m.p7s one.p7s
check 'a product is in the header' eval '[ "$(head -n 1 m | jq -r .product)" = "gateway \"x\"" ]'
run "$assay" check --manifest m --root tree --cert cert.pem --json
check 'and told, with the time' json '.ok and .manifests[0].product == "gateway \"x\"" and
	(.manifests[0].created | fromdate) > 0 and .manifest_check.result == "pass"'
sign --product 'a
b'
check 'but not one of two lines' told 1 'without control characters'
sign --incremental one --json
check '--incremental reads nothing again that did not change' \
	json '.ok and .file_count == 8 and .reused == 6 and .links == 2'
check 'and openssl accepts the result' accepted m
write other tree/usr/lib/b.so
echo >>tree/usr/lib/b.so
touch -d '1 hour ago' tree/usr/lib/b.so
rm tree/usr/lib/c.a
echo new >tree/usr/new
sign --incremental one --json
check 'what has another size, is new or gone, is seen' \
	json '.ok and .file_count == 8 and .reused == 4'
check 'and openssl accepts that, too' accepted m
write otter tree/usr/lib/b.so
echo >>tree/usr/lib/b.so
sign --incremental m --json
check 'another time is enough' json '.ok and .reused == 4'
check 'which openssl accepts' accepted m
write TOP tree/top
touch -d '1 hour ago' tree/top
sleep 3
sign --json
stamp=$(stat -c %y tree/top)
write bot tree/top
touch -d "$stamp" tree/top
sign --incremental m --json
check 'so is a change of content whose time was set back' json '.ok and .reused == 4'
check 'and the manifest has what the file holds now' accepted m
# What is read again takes no more of a processor than without the older manifest: no signature of it
# is checked. What is not at hand would have to be waited for.
small() {
	run "$assay" sign --key key.pem --cert cert.pem --root tree --manifest small --include /usr/new \
		--incremental m --json
}
small
check 'a small file in page cache is read again' json '.ok and .file_count == 1 and .reused == 0'
dd of=tree/usr/new oflag=nocache conv=notrunc,fdatasync count=0 2>/dev/null
if [ "$(fincore -n -b -o PAGES tree/usr/new)" -eq 0 ]; then
	small
	check 'and one that is not is left alone' json '.ok and .file_count == 1 and .reused == 1'
else
	skip 'and one that is not is left alone' 'this file system has all in page cache'
fi
cp one changed
cp one.p7s changed.p7s
sed -i '2s/"sha256:./"sha256:x/; 2s/:x/:0/; 2s/"size":3/"size":4/' changed
sign --incremental changed
check 'an older manifest that was changed is refused' told 1 'the signature of changed'
rm changed.p7s
sign --incremental changed
check 'one without signature, too' told 1 'changed.p7s: No such file'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other \
	-keyout other.key -out other.crt -days 10 2>/dev/null
run "$assay" sign --key other.key --cert other.crt --root tree --manifest m --incremental one
check 'one of another signer, too' told 1 'one is of another signer: CN=signer'
sign --incremental one --block-size 1024
check 'one with another block size, too' told 1 'another hash algorithm, block size or salt'
# A file of the tree that is made to look like a manifest, with the signature that it got as
# a file: what it says of another file must be taken by nobody.
{
	head -n 1 m
	grep '"path":"/top"' m | sed 's/"sha256:[0-9a-f]*"/"sha256:'"$(printf '%064d' 0)"'"/
		s/"pkcs7":"[^"]*",//; s/"ima":"[^"]*"/"ima":"AA=="/'
} >tree/usr/share/evil
cp tree/usr/share/evil evil
sign
field "$(grep '"path":"/usr/share/evil"' m)" pkcs7 | base64 -d >evil.p7s
sign --incremental evil
check "a file's signature does not sign a manifest to build upon" \
	told 1 'the signature of evil: it is the signature of a file'
sign --incremental evil --accept-file-signature --json
check 'and where it may, no entry is taken over whose own signature is not good' \
	eval "json '.ok and .reused == 0' && accepted m"
run "$assay" check --manifest evil --root tree --cert cert.pem
check 'nor one to check files by' told 1 'the signature of evil: it is the signature of a file'
run "$assay" check --manifest evil --root tree --cert cert.pem --accept-file-signature
check 'and where it may, its entries are not good' told 1 'top: it is not the file'
run "$assay" enable --manifest evil --root tree --cert cert.pem
check 'nor one to enable verity by' told 1 'the signature of evil: it is the signature of a file'
rm tree/usr/share/evil
openssl req -x509 -key key.pem -subj /CN=old -days 1 -not_before 20200101000000Z \
	-not_after 20200102000000Z -out expired.crt 2>/dev/null ||
	openssl x509 -in cert.pem -signkey key.pem -days -1 -out expired.crt 2>/dev/null
run "$assay" sign --key key.pem --cert expired.crt --root tree --manifest m
check 'an expired certificate is refused' told 1 'has expired'

# Holes would take no time.
head -c 300000000 /dev/zero | tr '\0' x >tree/changing
(while :; do
	touch tree/changing
	sleep 0.01
done) &
writer=$!
sign
kill "$writer"
wait "$writer" 2>/dev/null || :
writer=
check 'a file that changes while it is read is told' \
	told 1 'changing.* changed while it was read' '1 of 9 files'
rm tree/changing
sign --json
check 'and the next run goes on from what was done' \
	json '.ok and .file_count == 8 and .partial == null'
check 'which leaves no partial manifest' test ! -e m.partial

# ------------------------------------------------------------------ interrupted
tpm_start_in() {
	mkdir -p "$1"
	tpm_start "$1"
}
tpm_start_in "$work/tpm"
tcti=swtpm:path=$work/tpm.sock
works 'a key is made in a TPM' "$assay" key create --tcti "$tcti" --out tpm.key --cert tpm.crt
many_count=2000 # far more than are signed while somebody looks
mkdir many
for i in $(seq "$many_count"); do
	echo "$i" >"many/$i"
done
many() {
	exec "$assay" sign --tcti "$tcti" --key tpm.key --cert tpm.crt --root many --manifest many.m
}
lines() { # MANIFEST: more files than none and fewer than all
	lines_count=$(tail -n +2 "$1" | wc -l)
	[ "$lines_count" -gt 0 ] && [ "$lines_count" -lt "$many_count" ]
}
# begun: starts signing, waits until some of it is on the disk
begun() {
	many >begun.out 2>begun.err &
	signer=$!
	eventually test -s many.m.partial || return 1
	# The first lines come with the buffer's size.
	for _ in $(seq 400); do
		[ "$(wc -c <many.m.partial)" -lt 8192 ] || break
		sleep 0.01
	done
}
run_many() {
	status=0
	(many) >stdout 2>stderr || status=$?
}
ended() { # SIGNAL: the signer, by it
	kill -"$1" "$signer" || :
	waited
}
waited() { # for what was begun; it is then the command that was run
	status=0
	wait "$signer" || status=$?
	cp begun.out stdout
	cp begun.err stderr
}
begun
run "$assay" sign --tcti "$tcti" --key tpm.key --cert tpm.crt --root many --manifest many.m
check 'a second run at a time is refused' told 1 'another run is writing'
ended TERM
check 'an interrupted run says where its work is' \
	eval 'told 143 "interrupted" "what was done is in many.m.partial: the same command goes on"'
check 'and has some of it' lines many.m.partial
kept=$(tail -n +2 many.m.partial | sed 's/,"mtime.*//; s/}$//')
# Signatures by ECDSA are random: those that are equal were kept. The times that follow them
# are left out where a file is as young as the run.
run_many
check 'the next run goes on' told 0
taken_over() {
	[ "$(tail -n +2 many.m | sed 's/,"mtime.*//; s/}$//' | grep -cxF "$kept")" -eq "$(echo "$kept" | wc -l)" ]
}
check 'with the signatures that were made' taken_over
check 'to the end' test "$(tail -n +2 many.m | wc -l)" -eq "$many_count"
works 'and its manifest is good' "$assay" check --manifest many.m --root many --cert tpm.crt --quiet
rm many.m many.m.p7s
begun
ended KILL
check 'a killed run leaves its work, too' lines many.m.partial
run "$assay" sign --key key.pem --cert cert.pem --root many --manifest many.m
check 'another key does not take it up' told 1 'of another signer' 'no-resume'
chmod 666 many.m.partial
run_many
check 'nor is it taken if others can write to it' told 1 'only you can write to'
chmod 644 many.m.partial
tpm_stop
run_many
check 'without a TPM what was done stays' eval 'told 1 && lines many.m.partial'
tpm_start "$work/tpm"
rm many.m.partial
begun
tpm_stop
waited
check 'a TPM that is pulled in mid-run is told, and what was done stays' \
	eval 'told 1 "signing /" "what was done is in many.m.partial" && lines many.m.partial'
printf '{"path":"/torn' >>many.m.partial
tpm_start "$work/tpm"
run_many
check 'with the TPM back it goes on, past a torn line' told 0
works 'and its manifest is good' "$assay" check --manifest many.m --root many --cert tpm.crt --quiet

# ------------------------------------------------------------------ many files
mkdir -p lots
awk 'BEGIN { for (i = 0; i < 20000; i++) { file = "lots/a-name-as-long-as-names-often-are-" i; print i >file; close(file) } }'
"$assay" sign --key key.pem --cert cert.pem --root lots --manifest lots.m >stdout 2>stderr &
signer=$!
peak=0
while kill -0 "$signer" 2>/dev/null; do
	now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$signer/status" 2>/dev/null) || :
	[ -z "$now" ] || peak=$now
	sleep 0.05
done
status=0
wait "$signer" || status=$?
check '20,000 files in one directory are signed' prints 0 'signed 20000 files'
echo "# peak: $peak KiB"
# The names of a directory are held: 100,000 files have five times as many.
check 'in little memory' eval '[ "$peak" -gt 1000 ] && [ "$peak" -lt 40000 ]'
few() { # COMMAND...: with less descriptors than files are signed at a time
	# shellcheck disable=SC3045 # dash has it
	(ulimit -n 64 && "$@")
}
run few "$assay" sign --delegate --key key.pem --cert cert.pem --root lots --manifest lots.m
check 'and with a few descriptors' eval 'prints 0 "signed 20000 files" && [ ! -s stderr ]'
find lots -type f -printf '%P\0' >list
script -qec "'$assay' sign --key key.pem --cert cert.pem --root lots --manifest lots.m --jobs 1 \
	--files-from list -0" typescript >/dev/null </dev/null || :
bar() {
	tr '\r' '\n' <typescript | grep -qE '^signing: [0-9]+ of 20000 \[#*\.*\] [0-9]+%.* [0-9]+/s'
}
check 'a terminal gets a bar with the rate' bar
"$assay" sign --key key.pem --cert cert.pem --root lots --manifest lots.m >stdout 2>stderr
check 'and a file gets nothing of it' test ! -s stderr
