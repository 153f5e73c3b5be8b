#!/bin/sh
# The browser tests drive Chromium. Where it is missing, try Debian's package; where that does not work, say so and go on:
# the tests then say themselves that they are skipped, and why.
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ -n "${COLPO_CHROMIUM:-}" ] && [ -x "$COLPO_CHROMIUM" ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Chromium is not here, and neither is apt-get: the browser tests will be skipped." >&2
    exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "Chromium is not here, and installing it needs root: the browser tests will be skipped." >&2
        exit 0
    fi
    as_root="sudo -n"
fi
echo "Installing Chromium for the browser tests"
if ! { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq chromium fonts-dejavu-core; } >/dev/null 2>&1; then
    echo "Chromium could not be installed with apt-get: the browser tests will be skipped." >&2
fi
exit 0
