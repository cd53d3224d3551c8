#!/bin/sh
# Makes the README's pictures: a run's report, and the served page with an answer.
#
#   docs/images/make.sh BERT RUN MODEL
#
# BERT is the binary, RUN a run's output folder, MODEL a fine-tuned question-answering model. It needs Chromium,
# curl and pngquant, and writes report.png and page.png beside itself.
set -eu

if [ $# -ne 3 ]; then
    echo "usage: $0 BERT RUN MODEL" >&2
    exit 2
fi
bert=$1
run=$(cd "$2" && pwd)
model=$3
here=$(cd "$(dirname "$0")" && pwd)
port=${PORT:-8099}
work=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server"; fi; rm -rf "$work"' EXIT

# OUTPUT WIDTH,HEIGHT ADDRESS: the time budget lets scripts finish before the picture is taken.
shoot() {
    chromium --headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars --force-device-scale-factor=0.75 \
        --disable-web-security --user-data-dir="$work/profile" --virtual-time-budget=20000 \
        --window-size="$2" --screenshot="$1" "$3" 2>"$work/chromium.log" || { cat "$work/chromium.log" >&2; exit 1; }
    # 64 colours keep a picture under 150 kB.
    pngquant --force --strip --output "$1" 64 "$1"
}

shoot "$here/report.png" 1000,900 "file://$run/report.html"

# The page below comes from a file, whose origin is null.
"$bert" serve --model "$model" --allow-origin null --address "127.0.0.1:$port" 2>"$work/server.log" &
server=$!
tries=0
until curl -fs "http://127.0.0.1:$port/healthz" >/dev/null; do
    tries=$((tries + 1))
    if [ $tries -gt 120 ]; then
        cat "$work/server.log" >&2
        exit 1
    fi
    sleep 1
done

curl -fs -o "$work/icon.svg" "http://127.0.0.1:$port/icon.svg"
# The page as it is served, with its style and icon inside, which presses its own buttons.
{
    curl -fs "http://127.0.0.1:$port/" | sed -e "s|<head>|<head><base href=\"http://127.0.0.1:$port/\">|" \
        -e 's|<link rel="stylesheet".*||' -e "s|src=\"/icon.svg\"|src=\"file://$work/icon.svg\"|"
    echo '<style>'
    curl -fs "http://127.0.0.1:$port/page.css"
    cat <<'SCRIPT'
</style>
<script type="module">
document.getElementById("example").click();
document.getElementById("question").value = "How much later does high water come each day?";
document.getElementById("form").requestSubmit();
</script>
SCRIPT
} >"$work/page.html"
shoot "$here/page.png" 1240,1060 "file://$work/page.html"
ls -l "$here"/*.png
