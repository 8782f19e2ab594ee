#!/bin/sh
# SPDX-License-Identifier: MIT
# assayd in a Debian 13 as "make install" and its own unit have it: when it starts, as whom and with
# what, what systemd watches, what others can ask it, and what it goes on after.
# guest: --region auto --tpm new --timeout 600 --file build/kernel/4k/modules/overlay.ko=/bed/overlay.ko
# guest: --file build/loop/loop.ko=/bed/loop.ko
# guest: --file build/arm64/parser-faults=/bed/parser-faults
# guest: --file tests/system/after_dpkg.sh=/bed/after_dpkg.sh
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/system/system.sh
. /bed/system.sh

check 'PID 1 is systemd' [ "$(cat /proc/1/comm)" = systemd ]
run systemctl is-system-running --wait
check 'all of the system has started' prints 0 '^running$'
run cat /etc/os-release
check 'it is Debian 13' prints 0 'VERSION_ID="13"'
cp /usr/bin/assay /root/copy
works 'files of the root can have fs-verity' fsverity enable /root/copy

# ------------------------------------------------------------------ the unit
check 'assayd is active' shows assayd ActiveState active
check 'it was ready before sysinit.target was reached' active_before assayd.service sysinit.target
check 'after the module was loaded' active_before systemd-modules-load.service assayd.service
check 'it has told systemd how it is' [ -n "$(systemctl show --property StatusText --value assayd)" ]
check 'it has the device' waits state_is .device_present
run systemd-analyze verify --man=no assayd.service
check 'the unit has no mistake' [ "$status$(cat "$CHECK_OUT/stderr")" = 0 ]
run systemd-analyze security assayd.service --no-pager --threshold=19
sed -n 's/^.*Overall exposure/# Overall exposure/p' "$CHECK_OUT/stdout"
check 'its exposure is below 2.0' [ "$status" -eq 0 ]

# ------------------------------------------------------------------ what it runs with
user=$(id -u assay)
check 'it runs as its own user' [ "$(reads Uid)" = "$user $user $user $user" ]
check 'it is in the group that the TPM belongs to' in_group tss
# CAP_DAC_READ_SEARCH is 2, CAP_SYS_ADMIN 21.
check 'it may have two capabilities' [ "$(reads CapPrm) $(reads CapBnd)" = '0000000000200004 0000000000200004' ]
check 'it has none, and hands none on' [ "$(reads CapEff) $(reads CapAmb)" = '0000000000000000 0000000000000000' ]
check 'it can get no privileges by running programs' [ "$(reads NoNewPrivs)" = 1 ]
check 'its system calls are filtered' [ "$(reads Seccomp)" = 2 ]
check 'it has no threads' [ "$(reads Threads)" = 1 ]
check 'it cannot write to the system' mounted_in_it / ro
check 'but to what it keeps' mounted_in_it /var/lib/assay rw

# ------------------------------------------------------------------ what can be asked
run assay status
check 'assay status tells of it' prints 0 'assayd'
run assay status --json
check 'as JSON too' prints 0 '"assayd"'
run varlinkctl info /run/assay/assayd
check 'varlinkctl can ask who it is' prints 0 'Product: assay' 'org.assay'
run varlinkctl introspect /run/assay/assayd org.assay
check 'and what its interface is' prints 0 'method Status' 'method Measure'
run varlinkctl --json=short call /run/assay/assayd org.assay.Status '{}'
check 'and what it does' prints 0 "\"pid\":$(main_pid)"
run varlinkctl call /run/assay/assayd org.assay.Nothing '{}'
check 'a method that it has not is refused' [ "$status" -ne 0 ]
run varlinkctl --json=short call /run/assay/assayd org.assay.List '{"first":0,"count":1}'
check 'it lists the log' prints 0 '"recnum":0,.*"next":1'
run varlinkctl --json=short call /run/assay/assayd org.assay.Measure '{"paths":["/root/copy"]}'
check 'it measures nothing for others that its user may not read' prints 0 '"error":"Permission denied'
mkdir -p /opt && cp /usr/bin/assay /opt/copy && fsverity enable /opt/copy
run varlinkctl --json=short call /run/assay/assayd org.assay.Measure '{"paths":["/opt/copy"]}'
check 'it measures what it is asked to' prints 0 '"measured_count":1' '"path":"/opt/copy"'
run jq .pid /run/systemd/report.files/assay
check "a report of systemd's has its state" prints 0 "^$(main_pid)\$"
run setpriv --reuid nobody --regid nogroup --clear-groups varlinkctl call /run/assay/assayd org.assay.Status '{}'
check 'nobody is told nothing' [ "$status" -ne 0 ]
run assayd
check 'a second one is refused' told 1 "another assayd runs already, as process $(main_pid) "

# ------------------------------------------------------------------ its configuration
mkdir -p /etc/assay
configure() { # LINE...: and has it read
	printf '%s\n' "$@" >/etc/assay/assayd.conf
	systemctl reload assayd
}
configure '[status]' 'interval=never'
check 'a configuration that is wrong is a problem' waits state_is '.problems | length == 1'
check 'which the journal has by its fields' waits journal_has ASSAY_PART=service _SYSTEMD_UNIT=assayd.service \
	MESSAGE_ID=6f2d4d1c6b0f4d1f9d4b7a0c5c1e8a53
configure '[status]' 'interval=500ms' 'metrics-listen=/run/assay/metrics' 'metrics-file=/run/assay/assay.prom'
check 'one that is right mends it' waits state_is '.problems | length == 0'
check 'and the service was never restarted by that' shows assayd NRestarts 0
run curl --silent --unix-socket /run/assay/metrics http://localhost/metrics
check 'metrics are on its socket' prints 0 '^assay_device_present 1'
check 'and in the file of the collector' waits grep -q '^assay_problems' /run/assay/assay.prom

# ------------------------------------------------------------------ its credentials
mkdir -m 700 /root/secret
works 'an AK is made that only root may read' assay key create --restricted --out /root/secret/ak.pem
mkdir -p /run/systemd/system/assayd.service.d
printf '[Service]\nLoadCredential=ak.pem:/root/secret/ak.pem\n' >/run/systemd/system/assayd.service.d/ak.conf
printf '%s\n' '[attest]' 'ak=ak.pem' 'ima-log=no' 'uefi-log=no' >/etc/assay/assayd.conf
systemctl daemon-reload
works 'the service gets it by LoadCredential' systemctl restart assayd
run varlinkctl --json=short call /run/assay/assayd org.assay.Quote '{"nonce":"000102030405060708090a0b0c0d0e0f"}'
check 'and makes evidence with it' prints 0 '"type":"evidence"'
check 'which its user could not read' sh -c '! setpriv --reuid assay --regid assay --clear-groups cat /root/secret/ak.pem 2>/dev/null'
rm /run/systemd/system/assayd.service.d/ak.conf
systemctl daemon-reload && systemctl restart assayd
run varlinkctl --json=short call /run/assay/assayd org.assay.Quote '{"nonce":"000102030405060708090a0b0c0d0e0f"}'
check 'without it there is none, and what is to be done is told' [ "$status" -ne 0 ]
check 'as a problem as well' waits state_is '[.problems[].text] | any(contains("LoadCredential=ak.pem"))'
configure '[status]' 'interval=500ms'

# ------------------------------------------------------------------ what it measures by rules
fsverity enable /usr/bin/jq
mkdir -p /etc/assay/measure.d
printf '[measure]\nfile=/usr/bin/jq\n' >/etc/assay/measure.d/10.conf
works 'it is told of a rule' systemctl reload assayd
check 'by which it measures, in its sandbox' waits state_is '.parts.measure.last_pass.measured_count == 1'
run assay log show
check 'the log has the file' prints 0 '  /usr/bin/jq$'

# ------------------------------------------------------------------ an extension image that comes later
# By the example of a rule as it is installed.
cp /usr/share/doc/assay/measure.d/50-sysext.conf /etc/assay/measure.d/
passes=$(jq .parts.measure.pass_count $state)
works 'it is told of a rule for extension images' systemctl reload assayd
check 'and goes through its rules' waits state_is ".parts.measure.pass_count > $passes"
passes=$(jq .parts.measure.pass_count $state)
extension=/var/lib/extensions/tool
mkdir -p $extension/usr/bin $extension/usr/lib/extension-release.d
sed -n '/^ID=/p; /^VERSION_ID=/p' /etc/os-release >$extension/usr/lib/extension-release.d/extension-release.tool
printf '#!/bin/sh\necho an extension\n' >$extension/usr/bin/tool
chmod 755 $extension/usr/bin/tool
fsverity enable $extension/usr/bin/tool
insmod /bed/overlay.ko
works 'an extension is merged' systemd-sysext merge
check 'its files are in /usr' [ "$(/usr/bin/tool)" = 'an extension' ]
check 'which the service sees as a mount, and goes through its rules' waits state_is ".parts.measure.pass_count > $passes"
in_log() {
	assay log show | grep -q "  $extension/usr/bin/tool\$"
}
check 'by the example it measures what the extension brought, where that is' waits in_log
works 'it goes again' systemd-sysext unmerge

# ------------------------------------------------------------------ images, each a file system in a file
# What is in an image has no fs-verity of its own: the file has it, and so all that is in it.
insmod /bed/loop.ko
make_image() { # IMAGE TREE: with fs-verity
	mkdir -p "${1%/*}"
	mke2fs -q -t ext4 -b 4096 -d "$2" "$1" 4M >/dev/null 2>&1 && fsverity enable "$1"
}
image_in_log() { # IMAGE: by its own digest
	assay log show | grep -q "  $(fsverity measure "$1" | cut -d ' ' -f 1)  $1\$"
}
tree=/root/tree
rm -r $extension
mkdir -p $tree/usr/bin $tree/usr/lib/extension-release.d
sed -n '/^ID=/p; /^VERSION_ID=/p' /etc/os-release >$tree/usr/lib/extension-release.d/extension-release.raw
printf '#!/bin/sh\necho an image\n' >$tree/usr/bin/raw
chmod 755 $tree/usr/bin/raw
works 'an extension is made an image' make_image /var/lib/extensions/raw.raw $tree
passes=$(jq .parts.measure.pass_count $state)
works 'it is merged' systemd-sysext merge
check 'its files are in /usr' [ "$(/usr/bin/raw)" = 'an image' ]
check 'which has the service go through its rules' waits state_is ".parts.measure.pass_count > $passes"
check 'by the example it measures the image' waits image_in_log /var/lib/extensions/raw.raw
works 'it goes again' systemd-sysext unmerge

# A portable service, as portablectl attaches one: a unit whose root is the image, and which may not
# write to it, by its default profile.
cp /usr/share/doc/assay/measure.d/50-portable.conf /etc/assay/measure.d/
rm -r $tree
mkdir -p $tree/usr $tree/etc $tree/proc $tree/sys $tree/dev $tree/run $tree/tmp $tree/var/tmp
ln -s usr/lib $tree/lib
ln -s usr/bin $tree/bin
cp /etc/os-release $tree/etc/os-release
: >$tree/etc/resolv.conf
echo 'of the image' >$tree/etc/tool
: >$tree/etc/machine-id
works 'a portable service is made an image' make_image /var/lib/portables/tool_1.raw $tree
works 'the service is told of it' systemctl reload assayd
check 'by the example it measures the image' waits image_in_log /var/lib/portables/tool_1.raw
cat >/run/systemd/system/tool.service <<'END'
[Service]
Type=oneshot
RootImage=/var/lib/portables/tool_1.raw
BindReadOnlyPaths=/usr
ProtectSystem=strict
ProtectHome=yes
ExecStart=/bin/grep -q image /etc/tool
END
systemctl daemon-reload
works 'the service runs in the image that was measured' systemctl start tool.service
[ "$status" -eq 0 ] || journalctl --boot --no-pager --unit tool | sed 's/^/# /'
check 'and it is the one that was' image_in_log /var/lib/portables/tool_1.raw
run sh -c 'echo x >>/var/lib/portables/tool_1.raw'
check 'which nobody can write to' [ "$status" -ne 0 ]
rm /run/systemd/system/tool.service
: >/var/lib/portables/plain_1.raw
works 'there is an image without fs-verity' systemctl reload assayd
check 'by the example that is told, with what to do' waits state_is \
	'[.problems[].text] | any(contains("/var/lib/portables/plain_1.raw: ") and contains("it has no fs-verity digest"))'
works 'it is given fs-verity' sh -c 'head -c 100000 /usr/bin/assay >/var/lib/portables/plain_1.raw && fsverity enable /var/lib/portables/plain_1.raw'
works 'which the service is told of' systemctl reload assayd
check 'and measures it, whatever is in it' waits image_in_log /var/lib/portables/plain_1.raw
works 'another is kept elsewhere, and linked as portablectl does' sh -c 'mkdir -p /srv /etc/portables &&
	head -c 200000 /usr/bin/assay >/srv/linked_1.raw && fsverity enable /srv/linked_1.raw && ln -s /srv/linked_1.raw /etc/portables/'
works 'the service is told of that' systemctl reload assayd
check 'by the example it measures the image where it is' waits image_in_log /srv/linked_1.raw
check 'nothing is wrong any more' waits state_is '.problems | length == 0'

# ------------------------------------------------------------------ parsers that fail
# Loaded into the service, it has calls with some words do harm where they are parsed.
mkdir -p /run/systemd/system/assayd.service.d
printf '[Service]\nEnvironment=LD_PRELOAD=/bed/parser-faults\n' >/run/systemd/system/assayd.service.d/faults.conf
systemctl daemon-reload
works 'it is started with a parser that has faults' systemctl restart assayd
pid=$(main_pid)
ask_fault() { # WORD
	varlinkctl --json=short call /run/assay/assayd org.assay.Status "{\"x\":\"$1\"}"
}
run ask_fault fault-crash
check 'a call that its parser crashes at is refused' [ "$status" -ne 0 ]
check 'which is a problem, with whose it was' waits state_is \
	'[.problems[].text] | any(contains("a call of user 0: its parser was ended by signal 11 "))'
for _ in 1 2 3 4; do
	while [ ! -e /run/enough ]; do ask_fault fault-loop; done >/dev/null 2>&1 &
done
parsers_are() { # COUNT: there are so many, beside what they are copies of
	[ "$(wc -w <"/proc/$pid/task/$pid/children")" -eq $(($1 + 1)) ]
}
check 'all parsers are taken by calls that they do not end with' waits parsers_are 4
cp /usr/bin/assay /opt/later && fsverity enable /opt/later
printf '[measure]\nfile=/opt/later\n' >/etc/assay/measure.d/20.conf
works 'it is told of a rule meanwhile' systemctl reload assayd
later_in_log() {
	assay log show | grep -q '  /opt/later$'
}
check 'and measures by it' waits later_in_log
: >/run/enough
echo "# memory of the unit: at most $(systemctl show --property MemoryPeak --value assayd) bytes"
check 'all of it has less memory than half of what the unit allows' \
	[ "$(systemctl show --property MemoryPeak --value assayd)" -lt $((128 << 20)) ]
answers() {
	ask_fault none | grep -q '"type":"assayd"'
}
check 'it answers once a parser is free' waits answers
check 'it is the same process' [ "$(main_pid)" = "$pid" ]
rm /run/systemd/system/assayd.service.d/faults.conf /run/enough
systemctl daemon-reload && systemctl restart assayd

# ------------------------------------------------------------------ what it goes on after
came_back() { # OLD_PID: another process is active, and has written the state
	shows assayd ActiveState active && [ "$(main_pid)" != "$1" ] && state_is ".pid == $(main_pid) and .device_present"
}
pid=$(main_pid)
kill -9 "$pid"
check 'it comes back when it was killed' waits came_back "$pid"
mkdir -p /run/systemd/system/assayd.service.d
# Long enough for a start on a machine that has much else to do.
printf '[Service]\nWatchdogSec=6\n' >/run/systemd/system/assayd.service.d/watchdog.conf
systemctl daemon-reload
works 'it is restarted' systemctl restart assayd
pid=$(main_pid)
sleep 8
check 'it lives on while it tells the watchdog' [ "$(main_pid)" = "$pid" ]
kill -STOP "$pid"
check 'and comes back when it does not' waits came_back "$pid"
run journalctl --boot --unit assayd --no-pager
check 'that was the watchdog' prints 0 'Watchdog timeout'
works 'it is stopped' systemctl stop assayd
check 'in an orderly way' shows assayd Result success
works 'it is started again' systemctl start assayd

# ------------------------------------------------------------------ after dpkg
# shellcheck source=tests/system/after_dpkg.sh
. /bed/after_dpkg.sh

run systemctl list-units --failed --plain --no-legend
check 'no unit has failed' [ ! -s "$CHECK_OUT/stdout" ]
[ "$check_failed" -eq 0 ] || journalctl --boot --unit assayd --no-pager | sed 's/^/# /'
echo "1..$check_number"
