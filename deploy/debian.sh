#!/bin/sh
# Install what the tests want of Debian's packages, where the command is missing.
set -eu

missing=""
for command in chromium curl buildah; do
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
apt-get update --quiet
# shellcheck disable=SC2086 # one word for each package
apt-get install --quiet --yes --no-install-recommends $missing
