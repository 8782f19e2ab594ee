#!/bin/sh
# SPDX-License-Identifier: MIT
# In the root of a device, before its systemd starts: what the scripts of a package do after "make
# install", and what an administrator settles so that assayd runs from the boot on.
set -eu
release=$(uname -r)
mkdir -p "/lib/modules/$release/updates"
touch "/lib/modules/$release/modules.order" "/lib/modules/$release/modules.builtin" \
	"/lib/modules/$release/modules.builtin.modinfo" # which a kernel's package has, and depmod asks for
mv /bed/modules/assay.ko "/lib/modules/$release/updates/"
depmod "$release"

# The test may have said "# boot: no-module" for a module that is loaded later.
boot=$(sed -n 's/^# boot: *//p' /bed/test)
case " $boot " in
*' no-module '*) ;;
*)
	echo assay >/etc/modules-load.d/assay.conf
	rm /etc/systemd/system/systemd-modules-load.service # which is masked
	;;
esac

systemd-sysusers
systemctl enable assayd.service
