#!/bin/sh
# SPDX-License-Identifier: MIT
# The page of `assay verify --html` in a real browser: that it is shown in the reader's
# colours, that what is hostile stays text, and that the page's own policy keeps out what
# might get in all the same.
set -eu
cd "$(dirname "$0")/../.."
verifier=${ASSAY_VERIFY:-$PWD/build/host/assay-verify}
data=$PWD/tests/data/evidence
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"

judge() { # EVIDENCE PAGE
	run "$verifier" verify "$1" --nonce "$(xxd -p "$data/nonce")" --ak "$data/ak.pub" \
		--manifest "$data/manifest.jsonl" --cert "$data/cert.pem" --waive boot-known --waive assay-log-chain --html "$2"
}

# browse PAGE OPTION...: $work is the browser's home, whose sandbox root cannot have
browse() {
	browsed=$1
	shift
	run env HOME="$work/home" timeout 120 chromium --headless --no-sandbox --disable-gpu \
		--disable-dev-shm-usage --hide-scrollbars --enable-logging=stderr \
		--user-data-dir="$work/profile" "$@" "file://$work/$browsed"
}

# The browser's console, where it says what it refused or did not understand.
quiet() {
	! grep -q CONSOLE stderr
}

refused() { # WHAT: by the page's policy, in the words of newer and older browsers
	grep -q "CONSOLE.*$1.*Content Security Policy" stderr
}

# A PNG's first pixel, as hexadecimal: before it, no filter of a line changes anything.
first_pixel() {
	python3 -c '
import struct, sys, zlib
data, at, pixels = open(sys.argv[1], "rb").read(), 8, b""
while at < len(data):
    size, kind = struct.unpack(">I4s", data[at:at + 8])
    if kind == b"IDAT":
        pixels += data[at + 8:at + 8 + size]
    at += size + 12
print(zlib.decompress(pixels)[1:4].hex())' "$1"
}

background() { # the page's, by its style: first of light, then of dark
	sed -n 's/.*--bg:#\([0-9a-f]*\).*/\1/p' page.html | sed -n "$1p"
}

judge "$data/evidence.json" page.html
check 'there is a page' [ -s page.html ]
browse page.html --dump-dom
check 'the browser shows it' prints 0 '<h1 class="[a-z]*">trusted' '<code>quote-nonce</code>'
check 'and has nothing to say of it' quiet
browse page.html --window-size=900,700 --screenshot="$work/light.png"
check 'it is light' [ "$(first_pixel light.png)" = "$(background 1)" ]
browse page.html --window-size=900,700 --blink-settings=preferredColorScheme=0 --screenshot="$work/dark.png"
check 'or dark, where the reader wants that' [ "$(first_pixel dark.png)" = "$(background 2)" ]
check 'which is not the same' [ "$(background 1)" != "$(background 2)" ]

# What is foreign is text. The name of the file is what anybody can choose.
hostile='<img src=x onerror=document.title=1>.json'
cp "$data/evidence.json" "$hostile"
no_image() {
	! grep -q '<img' stdout
}
judge "$hostile" page.html
browse page.html --dump-dom
check 'a hostile name stays text' prints 0 '&lt;img src=x onerror='
check 'and is no element' no_image

# If something did get in: no script, no style, no request.
sed 's#</main>#<script>document.title = "ran"</script><style>main{display:none}</style><img src="https://localhost/">&#' \
	page.html >broken.html
browse broken.html --dump-dom
check 'a script in the page is not run' grep -q '<title>assay: trusted' stdout
check 'since its policy refuses it' refused 'inline script'
check 'nor is a style taken' refused 'inline style'
check 'nor anything fetched' refused 'the image'
# The same without the policy shows that it is the policy.
sed '/Content-Security-Policy/d' broken.html >open.html
browse open.html --dump-dom
check 'without the policy it is' grep -q '<title>ran' stdout
echo "1..$check_number"
exit "$check_failed"
