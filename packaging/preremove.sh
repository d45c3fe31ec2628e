#!/bin/sh
# Before the files go: at a removal ("remove" of dpkg, 0 of rpm), and not at an upgrade.
set -e
case "$1" in
remove | 0)
	if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
		systemctl disable --now energyd.service
	fi
	;;
esac
