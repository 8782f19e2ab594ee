# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
# systemd as the first process of a root of this machine's architecture, as in a container: with
# processes, control groups, devices and a network of its own, and nothing of this machine's kernel to
# set. Sourced after check.sh, by what has a mount namespace of its own, with $work and $root set.

# systemd_start: until the system is up, or not
systemd_start() {
	mkdir "$root/sys" "$root/run" 2>/dev/null || :
	systemd_group=$(mktemp -d "$(systemd_cgroups)/assay-test.XXXXXX") || return 1
	cat >"$work/first" <<END
set -e
echo \$\$ >$systemd_group/cgroup.procs
exec unshare --fork --pid --cgroup --ipc --uts --net --kill-child sh $work/second
END
	cat >"$work/second" <<END
set -e
ip link set lo up
mount -t proc proc $root/proc
mount -t sysfs -o ro sysfs $root/sys
mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
mount --bind $root/proc/sys $root/proc/sys
mount -o remount,bind,ro $root/proc/sys
mount -t tmpfs -o mode=755 tmpfs $root/run
mount -t tmpfs -o mode=755 tmpfs $root/dev
mkdir $root/dev/shm $root/dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts $root/dev/pts
ln -s pts/ptmx $root/dev/ptmx
ln -s /proc/self/fd $root/dev/fd
for device in null:3 zero:5 full:7 random:8 urandom:9; do
	mknod -m 666 $root/dev/\${device%:*} c 1 \${device#*:}
done
exec env -i container=assay-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	setpriv --bounding-set -sys_module,-sys_time,-sys_rawio,-syslog,-sys_nice,-mac_admin \
	chroot $root /sbin/init --log-target=console --show-status=no
END
	sh "$work/first" >"$work/systemd.log" 2>&1 &
	systemd_shell=$!
	eventually systemd_is_up
}

# Where control groups of the second version are, beside those of the first or alone.
systemd_cgroups() {
	awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts
}

systemd_is_up() {
	systemd_pid=$(pgrep -P "$systemd_shell" -x systemd) || return 1
	in_system systemctl is-system-running >"$work/systemd.state" 2>&1 || :
	grep -qx 'running\|degraded' "$work/systemd.state"
}

in_system() { # COMMAND...
	nsenter --target "$systemd_pid" --all --root --wdns=/ env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

systemd_stop() {
	kill -s RTMIN+4 "$systemd_pid" # poweroff.target
	wait "$systemd_shell"
	find "$systemd_group" -depth -type d -exec rmdir {} +
}
