#!/bin/sh
# Install what the tests want of Debian's packages, where the command is missing.
set -eu

missing=""
PATH="$PATH:/usr/sbin"
for command in chromium curl buildah nginx haproxy; do
  command -v "$command" > /dev/null || missing="$missing $command"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "Missing:$missing. Install with: sudo apt-get install$missing" >&2
  # The image is built where buildah is available; the explorer is always tried in a browser.
  [ "$missing" = " buildah" ]
  exit
fi

export DEBIAN_FRONTEND=noninteractive
# The tests start servers of their own: those that come with a package stay where they are.
export RUNLEVEL=1
apt-get update --quiet
# shellcheck disable=SC2086 # one word for each package
apt-get install --quiet --yes --no-install-recommends $missing
