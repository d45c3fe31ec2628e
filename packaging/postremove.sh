#!/bin/sh
# After the files are gone. Configuration, store and account stay, also at a purge: they hold what
# no package brought, and a store is years of readings. docs/operations.md tells how to remove them.
set -e
if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
