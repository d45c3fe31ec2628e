#!/bin/sh
# After a first installation and after an upgrade; DPKG_ROOT is a folder that dpkg installs into, "" as a rule.
set -e
root=${DPKG_ROOT:-}

systemd-sysusers ${root:+--root="$root"} energyd.conf
systemd-tmpfiles ${root:+--root="$root"} --create energyd.conf
if [ -n "$root" ]; then
	gid=$(sed -n 's/^energyd:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group")
else
	gid=$(getent group energyd | cut -d: -f3)
fi
for dir in /etc/energyd /etc/energyd/secrets; do
	# A folder that the administrator gave to somebody else stays so.
	if [ "$(stat -c %g "$root$dir")" = 0 ]; then
		chgrp "$gid" "$root$dir"
	fi
done

if [ -z "$root" ] && [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# A service that runs goes on with the new version; one that does not stays off until it is configured and enabled.
	systemctl try-restart energyd.service
fi
