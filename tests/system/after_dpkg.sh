# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# What apt runs after dpkg (policy/apt), where apt and dpkg are the real ones and their files can have fs-verity:
# a part of tests/system/test_service.sh.
after_dpkg=$(sed -n 's/^DPkg::Post-Invoke { "\(.*\)"; };$/\1/p' /etc/apt/apt.conf.d/80assay)

# deb NAME VERSION: builds it of /root/NAME, and has apt install it
deb() {
	mkdir -p "/root/$1/DEBIAN"
	printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: test\n' \
		"$1" "$2" >"/root/$1/DEBIAN/control"
	(cd "/root/$1" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | xargs -0 md5sum) >"/root/$1/DEBIAN/md5sums"
	dpkg-deb -Znone -b "/root/$1" "/root/$1.deb" >/dev/null
	run apt-get -q -o APT::Sandbox::User=root install --yes "/root/$1.deb"
}

is_enabled() { # PATH MANIFEST: with the digest that is in it
	[ "$(fsverity measure "$1" 2>/dev/null | cut -d' ' -f 1)" = \
		"$(jq -r "select(.path == \"$1\").digest" "$2")" ]
}

check 'apt has what it is to run' [ -n "$after_dpkg" ]
run sh -c "$after_dpkg"
check 'with nothing configured it does nothing' [ "${status:-1}$(cat "$CHECK_OUT/stdout" "$CHECK_OUT/stderr")" = 0 ]

# Signed here, by a key in the TPM. Of all packages of a Debian that would take it too long.
for key in here vendor other; do
	assay key create --out /etc/assay/$key.pem --cert /etc/assay/$key.crt --subject $key >/dev/null
done
assay keyring load --cert /etc/assay/here.crt >/dev/null
assay keyring load --cert /etc/assay/vendor.crt >/dev/null
printf '# of this machine\nkey = /etc/assay/here.pem\ncertificate = /etc/assay/here.crt\nexclude = /usr /boot /etc /var\n' \
	>/etc/assay/after-dpkg.conf
mkdir -p /root/hello/opt/hello
echo 'hello, world' >/root/hello/opt/hello/greeting
echo 'stays as it is' >/root/hello/opt/hello/other
deb hello 1.0-1
check 'what apt has installed is signed and enabled' prints 0 '^signed 2 files'
signed=/var/lib/assay-dpkg/dpkg.jsonl
check 'each file has fs-verity as in the manifest' is_enabled /opt/hello/greeting $signed
check 'with its package' jq -se '.[1] | .package == "hello" and .version == "1.0-1" and .architecture == "all"' $signed
run sh -c 'echo more >>/opt/hello/greeting'
check 'and cannot be written to' [ "${status:-0}" -ne 0 ]
echo 'hello again' >/root/hello/opt/hello/greeting
deb hello 1.1-1
check 'after an upgrade, too' prints 0 '^signed 2 files'
check 'the new file has fs-verity' is_enabled /opt/hello/greeting $signed
check 'the manifest has the new version' sh -c "jq -se '.[1].version == \"1.1-1\"' $signed"
echo 'unsafe = yes' >>/etc/assay/after-dpkg.conf
run sh -c "$after_dpkg"
check 'what the configuration does not know is told' told 1 'after-dpkg.conf: not known: unsafe'
rm /etc/assay/after-dpkg.conf

# Signed elsewhere, and brought along.
mkdir -p /root/greet/opt/greet /root/greet/usr/lib/assay/manifests.d /etc/assay/certificates
echo 'signed by whom made it' >/root/greet/opt/greet/file
brought=/usr/lib/assay/manifests.d/greet.jsonl
bring() { # KEY VERSION: the package with a manifest by that key
	assay sign --key /etc/assay/"$1".pem --cert /etc/assay/"$1".crt --root /root/greet --exclude /DEBIAN \
		--exclude /usr/lib/assay --manifest /root/greet$brought >/dev/null && deb greet "$2"
}
bring vendor 1
check 'a manifest that nobody vouches for enables nothing, and apt says so' told 100 \
	'there is no certificate in /etc/assay/certificates' 'DPkg::Post-Invoke'
check 'the package is installed all the same' [ -e /opt/greet/file ]
cp /etc/assay/vendor.crt /etc/assay/certificates/
run sh -c "$after_dpkg"
check 'one by an accepted key does' told 0
check 'the file has fs-verity as its maker signed it' is_enabled /opt/greet/file $brought
bring other 2
check 'one by another key does not' told 100 "greet.jsonl: not all of it could be enabled" 'vendor.crt: '
rm -r /etc/assay/certificates
dpkg -P hello greet >/dev/null 2>&1
check 'nothing is left of the packages' [ ! -e /opt/hello ]
run sh -c "$after_dpkg"
check 'and nothing to do' told 0
