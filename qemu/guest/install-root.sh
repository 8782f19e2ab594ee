#!/bin/sh
# SPDX-License-Identifier: MIT
# In a guest whose root is being made (qemu/device-root): installs the packages below /archives, and
# settles what a device of the tests has that Debian leaves open.
set -eu
PS4='+ $(cut -d " " -f 1 /proc/uptime) '
set -x
exec 2>&1
export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin
chown -R -h 0:0 / 2>/dev/null || :

cat >/etc/dpkg/dpkg.cfg.d/device <<'END'
force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/info/*
path-exclude=/usr/lib/udev/hwdb.d/*
END
mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/dpkg/triggers
: >/var/lib/dpkg/status
: >/var/lib/dpkg/available
cp /usr/share/base-passwd/passwd.master /etc/passwd
cp /usr/share/base-passwd/group.master /etc/group
# As in a chroot: nothing is started.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
export SYSTEMD_OFFLINE=1

dpkg --force-depends --unpack /archives/*.deb
dpkg --configure --pending
test -z "$(dpkg --audit)"
rm -rf /archives /usr/sbin/policy-rc.d /var/cache/* /var/lib/dpkg/*-old

echo device >/etc/hostname
printf '127.0.0.1 localhost device\n' >/etc/hosts
printf 'LABEL=device / ext4 defaults 0 0\n' >/etc/fstab
systemd-machine-id-setup
mkdir -p /bed /out

# What no test looks at, and takes long where every instruction is emulated.
for unit in getty.target getty-static.service systemd-hwdb-update.service ldconfig.service \
	systemd-firstboot.service systemd-journal-catalog-update.service systemd-update-done.service \
	systemd-journal-flush.service systemd-udev-load-credentials.service \
	systemd-tmpfiles-setup-dev-early.service systemd-random-seed.service systemd-user-sessions.service \
	systemd-remount-fs.service systemd-sysctl.service systemd-modules-load.service \
	systemd-binfmt.service systemd-pstore.service systemd-logind.service dracut-shutdown.service \
	systemd-ask-password-console.path systemd-ask-password-wall.path systemd-creds.socket \
	systemd-hostnamed.socket systemd-initctl.socket systemd-sysext.socket modprobe@.service \
	proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount sys-kernel-config.mount \
	dev-hugepages.mount dev-mqueue.mount run-lock.mount systemd-tmpfiles-clean.timer \
	dpkg-db-backup.timer apt-daily.timer apt-daily-upgrade.timer fstrim.timer e2scrub_all.timer e2scrub_reap.service; do
	ln -s /dev/null "/etc/systemd/system/$unit"
done
mkdir -p /etc/systemd/system-generators /etc/systemd/system/systemd-udev-trigger.service.d
for generator in /usr/lib/systemd/system-generators/*; do
	case $generator in
	*-fstab-generator | *-tpm2-generator | *-cryptsetup-generator) ;;
	*) ln -s /dev/null "/etc/systemd/system-generators/${generator##*/}" ;;
	esac
done
# Of the devices that are there before udev is, those that a unit or a rule names.
cat >/etc/systemd/system/systemd-udev-trigger.service.d/bed.conf <<'END'
[Service]
ExecStart=
ExecStart=-udevadm trigger --type=devices --action=add --subsystem-match=tpm \
	--subsystem-match=tpmrm --subsystem-match=misc --subsystem-match=block
END

cat >/etc/systemd/system/bed.target <<'END'
[Unit]
Description=The test's system is up
Requires=multi-user.target
After=multi-user.target
END
cat >/etc/systemd/system/bed-test.service <<'END'
[Unit]
Description=The test
After=multi-user.target
[Service]
Type=exec
ExecStart=/bed/init --service
StandardOutput=journal+console
[Install]
WantedBy=bed.target
END
systemctl enable bed-test.service
systemctl set-default bed.target

dpkg-query -W -f '${Package} ${Version}\n' >"$OUT/packages"
