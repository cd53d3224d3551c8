#!/bin/sh
# Installs bert from the archive beside this script, or from an address, after checking its sum.
#
#   ./install.sh [--prefix DIR] [--level LEVEL] [--from URL]
#
# --prefix DIR   where bin, share/man and the shells' completions go [default: ~/.local; /usr/local for root]
# --level LEVEL  v2, or v4 for processors with AVX-512 [default: the highest that this processor has]
# --from URL     a folder of the web with SHA256SUMS and the archives [default: this script's folder]
set -eu

die() {
    echo "error: $1" >&2
    exit 2
}

prefix=$HOME/.local
[ "$(id -u)" != 0 ] || prefix=/usr/local
from=
level=
while [ $# -gt 0 ]; do
    case $1 in
    --prefix | --level | --from)
        [ $# -ge 2 ] || die "$1: found no value, expected one"
        case $1 in
        --prefix) prefix=$2 ;;
        --level) level=$2 ;;
        --from) from=$2 ;;
        esac
        shift 2
        ;;
    *) die "found $1, expected --prefix DIR, --level LEVEL or --from URL" ;;
    esac
done

[ "$(uname -sm)" = 'Linux x86_64' ] || die "found $(uname -sm), expected Linux x86_64"

# The first of some instruction sets that this processor lacks.
lacks() {
    has=" $(sed -n '/^flags/{s/.*: //p;q}' /proc/cpuinfo) "
    for set in "$@"; do
        case $has in
        *" $set "*) ;;
        *) echo "$set" && return ;;
        esac
    done
}
v2=$(lacks cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3)
v4=$(lacks avx2 bmi2 fma avx512f avx512bw avx512cd avx512dq avx512vl)
[ -n "$level" ] || if [ -z "$v4" ]; then level=v4; else level=v2; fi
case $level in
v2) lacking=$v2 ;;
v4) lacking=$v4 ;;
*) die "--level: found $level, expected v2 or v4" ;;
esac
[ -z "$lacking" ] || die "level $level: this processor lacks $lacking"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
fetch() {
    if [ -n "$from" ]; then
        said=$(curl --fail --silent --show-error --location --proto '=https,http,file' --output "$work/$1" "${from%/}/$1" 2>&1) ||
            die "${from%/}/$1: $said"
    else
        said=$(cp "$(dirname "$0")/$1" "$work/$1" 2>&1) || die "$said"
    fi
}

fetch SHA256SUMS
archive=$(awk -v end="-$level.tar.gz" 'substr($2, length($2) - length(end) + 1) == end { print $2 }' "$work/SHA256SUMS")
case $archive in
'') die "SHA256SUMS: found no archive of level $level" ;;
*"
"*) die "SHA256SUMS: found several archives of level $level, expected one" ;;
*/*) die "SHA256SUMS: found $archive, expected a name without a folder" ;;
esac
fetch "$archive"
(cd "$work" && grep -F " $archive" SHA256SUMS | sha256sum --check --status -) ||
    die "$archive: found another sum than SHA256SUMS has; nothing is installed"

tar -xzf "$work/$archive" -C "$work" --no-same-owner
files=$work/${archive%.tar.gz}
# The program must run here before it takes the place of another.
said=$("$files/bert" --version 2>&1) ||
    die "$archive: found a program that does not start on this machine; nothing is installed: $said"

bash=$prefix/share/bash-completion/completions
zsh=$prefix/share/zsh/site-functions
fish=$prefix/share/fish/vendor_completions.d
for folder in "$prefix/bin" "$prefix/share/man/man1" "$prefix/share/doc/bert/licences" "$bash" "$zsh" "$fish"; do
    said=$(mkdir -p "$folder" 2>&1) || die "$said; nothing is installed"
    [ -w "$folder" ] || die "$folder: cannot be written to; nothing is installed"
done
cp "$files"/man/*.1 "$prefix/share/man/man1/"
cp "$files"/*.md "$files"/LICENSE-* "$files/bert.service" "$prefix/share/doc/bert/"
cp "$files"/licences/* "$prefix/share/doc/bert/licences/"
cp "$files/completions/bert.bash" "$bash/bert"
cp "$files/completions/_bert" "$zsh/_bert"
cp "$files/completions/bert.fish" "$fish/bert.fish"
# A running program keeps its file.
cp "$files/bert" "$prefix/bin/.bert.new"
mv -f "$prefix/bin/.bert.new" "$prefix/bin/bert"
echo "installed $("$prefix/bin/bert" --version), level $level, in $prefix"
case ":$PATH:" in
*":$prefix/bin:"*) ;;
*) echo "note: $prefix/bin is not in PATH" ;;
esac
