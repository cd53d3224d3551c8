#!/bin/sh
# Installs bert from the archive beside this script, or from an address, after checking its sum.
#
#   ./install.sh [--prefix DIR] [--from URL]
#
# --prefix DIR   where bin, share/man and the shells' completions go [default: ~/.local; /usr/local for root]
# --from URL     a folder of the web with SHA256SUMS and the archive [default: this script's folder]
set -eu

prefix=$HOME/.local
[ "$(id -u)" != 0 ] || prefix=/usr/local
from=
while [ $# -gt 0 ]; do
    case $1 in
    --prefix | --from)
        [ $# -ge 2 ] || { echo "error: $1: found no value, expected one" >&2; exit 2; }
        if [ "$1" = --prefix ]; then prefix=$2; else from=$2; fi
        shift 2
        ;;
    *) echo "error: found $1, expected --prefix DIR or --from URL" >&2; exit 2 ;;
    esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fetch() {
    if [ -n "$from" ]; then
        curl --fail --silent --show-error --location --proto '=https,http' --output "$work/$1" "${from%/}/$1"
    else
        cp "$(dirname "$0")/$1" "$work/$1"
    fi
}

fetch SHA256SUMS
# One archive for each kind of machine.
archive=$(awk -v machine="$(uname -m)" '$2 ~ "-" machine "-.*linux" { print $2 }' "$work/SHA256SUMS")
case $archive in
'') echo "error: SHA256SUMS: found no archive for $(uname -m) on Linux" >&2; exit 2 ;;
*"
"*) echo "error: SHA256SUMS: found several archives for $(uname -m), expected one" >&2; exit 2 ;;
esac
fetch "$archive"
(cd "$work" && grep -F " $archive" SHA256SUMS | sha256sum --check --quiet -) || {
    echo "error: $archive: found another sum than SHA256SUMS has; nothing is installed" >&2
    exit 2
}

tar -xzf "$work/$archive" -C "$work"
files=$work/${archive%.tar.gz}
# The program must run here before it takes the place of another.
"$files/bert" --version >/dev/null || {
    echo "error: $archive: found a program that does not start on this machine; nothing is installed" >&2
    exit 2
}
mkdir -p "$prefix/bin" "$prefix/share/man/man1" "$prefix/share/doc/bert" \
    "$prefix/share/bash-completion/completions" "$prefix/share/zsh/site-functions" "$prefix/share/fish/vendor_completions.d"
cp "$files"/man/*.1 "$prefix/share/man/man1/"
cp "$files"/*.md "$files"/LICENSE-* "$files"/THIRD-PARTY-LICENSES.html "$files/bert.service" "$prefix/share/doc/bert/"
cp "$files/completions/bert.bash" "$prefix/share/bash-completion/completions/bert"
cp "$files/completions/_bert" "$prefix/share/zsh/site-functions/_bert"
cp "$files/completions/bert.fish" "$prefix/share/fish/vendor_completions.d/bert.fish"
# A running program keeps its file.
cp "$files/bert" "$prefix/bin/.bert.new"
mv -f "$prefix/bin/.bert.new" "$prefix/bin/bert"
echo "installed $("$prefix/bin/bert" --version) in $prefix"
case ":$PATH:" in
*":$prefix/bin:"*) ;;
*) echo "note: $prefix/bin is not in PATH" ;;
esac
