#!/bin/sh
# Run a command that needs Node and npm, with the packages of package-lock.json installed: `sh scripts/with_node.sh npm test`.
# Where they are missing, try Debian's packages; where that does not work, say so and go on, unless CI or NODE_REQUIRED is set.
are_here() {
    command -v npm >/dev/null 2>&1 && node -e 'process.exit(process.versions.node.split(".")[0] < 18 ? 1 : 0)' 2>/dev/null
}
go_without() {
    echo "The JavaScript is neither checked nor tested, because Node 18 or newer and npm are not here: $1." >&2
    [ -z "${CI:-}${NODE_REQUIRED:-}" ]
    exit
}
if ! are_here; then
    command -v apt-get >/dev/null 2>&1 || go_without "install them"
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || go_without "install them; that needs root"
        as_root="sudo -n"
    fi
    echo "Installing Node and npm for the checks of the JavaScript"
    { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq nodejs npm; } >/dev/null 2>&1
    are_here || go_without "apt-get could not install nodejs and npm"
fi
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    echo "Installing what the checks of the JavaScript need into node_modules"
    npm ci --silent || { echo "npm ci could not install the packages of package-lock.json." >&2; exit 1; }
    touch node_modules/.package-lock.json
fi
exec "$@"
