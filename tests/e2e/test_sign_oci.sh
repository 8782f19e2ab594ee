#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay sign --oci`: images of three layers with whiteouts, links and all compressions, as an image
# layout and as `docker save` writes it; and images that are broken or hostile.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
work=$(mktemp -d "${TMPDIR:-/tmp}/sign-oci.XXXXXX")
CHECK_OUT=$work
. tests/check.sh
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$work"

sign() { # ARGUMENT...
	rm -f m m.*
	run "$assay" sign --oci --key key.pem --cert cert.pem --manifest m "$@"
}

refused() { # WORDS...: and no manifest is written
	told 1 "$@" && [ ! -e m ]
}

listed() { # FILE: just these paths, each with the digest of the file beside it
	[ "$status" -eq 0 ] || return 1
	tail -n +2 m | jq -r '"\(.path) \(.digest)"' >found
	while read -r path file; do
		echo "$path sha256:$(fsverity digest --compact "$file")"
	done <"$1" | diff - found >&2
}

# blob FILE: puts it into the layout, and prints its descriptor
blob() {
	blob_digest=$(sha256sum <"$1" | cut -d' ' -f 1)
	mkdir -p layout/blobs/sha256
	cp "$1" "layout/blobs/sha256/$blob_digest"
	printf '{"mediaType":"%s","digest":"sha256:%s","size":%s}' "$2" "$blob_digest" "$(wc -c <"$1")"
}

# image TAG LAYER...: the layout's index gets it
image() {
	image_tag=$1
	shift
	printf '{}' >config
	for layer; do
		blob "$layer" application/vnd.oci.image.layer.v1.tar
	done | jq -s --argjson config "$(blob config application/vnd.oci.image.config.v1+json)" \
		'{schemaVersion: 2, config: $config, layers: .}' >image.json
	blob image.json application/vnd.oci.image.manifest.v1+json |
		jq --arg tag "$image_tag" '. + {annotations: {"org.opencontainers.image.ref.name": $tag}}' >>descriptors
	jq -s '{schemaVersion: 2, manifests: .}' descriptors >layout/index.json
	echo '{"imageLayoutVersion": "1.0.0"}' >layout/oci-layout
}

new_layout() {
	rm -rf layout descriptors
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer \
	-keyout key.pem -out cert.pem -days 10 2>/dev/null
mkdir -p 1/usr/bin 1/usr/lib/dir 1/usr/opaque/deep 1/gone/below 2/usr/lib 2/usr/opaque 2/lib 3/usr/bin
for file in usr/bin/keep usr/bin/changed usr/bin/removed usr/lib/dir/x usr/opaque/old usr/opaque/deep/older gone/below/y; do
	echo "first $file" >1/$file
done
ln -s usr/lib 1/lib
ln 1/usr/bin/keep 1/usr/bin/hard
seq 20000 >1/usr/lib/long
# The whiteouts stand behind what they do not take away: that of their own layer.
echo second >2/usr/bin-changed
mkdir -p 2/usr/bin
echo second >2/usr/bin/changed
echo new >2/usr/opaque/new
echo through >2/lib/through
: >2/usr/bin/.wh.removed
: >2/.wh.gone
: >2/usr/opaque/.wh..wh..opq
echo third >3/usr/bin/removed
tar --sort=name -C 1 -cf 1.tar . && gzip -k 1.tar
(cd 2 && tar -cf ../2.tar usr/opaque/new usr/opaque/.wh..wh..opq usr/bin/changed usr/bin/.wh.removed usr/bin-changed lib/through .wh.gone) && zstd -q 2.tar
tar --sort=name -C 3 -cf 3.tar . && xz -k 3.tar
cat >wanted <<'END'
/usr/bin-changed 2/usr/bin-changed
/usr/bin/changed 2/usr/bin/changed
/usr/bin/hard 1/usr/bin/keep
/usr/bin/keep 1/usr/bin/keep
/usr/bin/removed 3/usr/bin/removed
/usr/lib/dir/x 1/usr/lib/dir/x
/usr/lib/long 1/usr/lib/long
/usr/lib/through 2/lib/through
/usr/opaque/new 2/usr/opaque/new
END
image v1 1.tar.gz 2.tar.zst 3.tar.xz
sign layout
check 'the files of all layers, merged, with the digest that fsverity has' listed wanted
sign --json layout
check 'as JSON' jq -e '.source == "oci" and .file_count == 9' stdout
image old 1.tar
sign layout
check 'of several images one is to be named' refused 'there are 2 images in it: say which with --image'
sign --image v1 layout
check 'by its tag' listed wanted
digest=$(jq -r '.manifests[0].digest' layout/index.json)
sign --image "$digest" layout
check 'or its digest' listed wanted
sign --image v2 layout
check 'one that is not there is told' refused 'there is no image v2 in it'
tar -C layout -cf layout.tar .
sign --image v1 layout.tar
check 'a layout in an archive' listed wanted
# An index of images for several machines, and what attests one of them, beside which there is none.
jq '{schemaVersion: 2, manifests: ([.manifests[0] | del(.annotations) | .platform = {architecture: "arm64", os: "linux"}] +
	[.manifests[1] | del(.annotations) | .platform = {architecture: "unknown", os: "unknown"}])}' layout/index.json >inner.json
rm descriptors
blob inner.json application/vnd.oci.image.index.v1+json >descriptors && jq -s '{schemaVersion: 2, manifests: .}' descriptors >layout/index.json
sign layout
check 'an index in an index' listed wanted

mkdir -p saved/a saved/b saved/c
cp 1.tar saved/a/layer.tar && cp 2.tar saved/b/layer.tar && cp 3.tar saved/c/layer.tar
echo '[{"Config": "x.json", "RepoTags": ["app:1"], "Layers": ["a/layer.tar", "b/layer.tar", "c/layer.tar"]}]' >saved/manifest.json
tar -C saved -cf saved.tar .
sign saved.tar
check 'an archive as docker writes it' listed wanted
sign --image app:1 saved.tar
check 'by its tag, too' listed wanted
sign --image app:2 saved.tar
check 'which has to be there' refused 'there is no image app:2 in it'
gzip -k saved.tar
sign saved.tar.gz
check 'compressed' listed wanted
sign --exclude /usr/bin saved.tar
grep -v '^/usr/bin/' wanted >rest
check 'patterns choose' listed rest

# ---------------------------------------------------------------- what is broken
sign nothing
check 'an image that is not there' refused 'cannot open nothing: No such file'
sign wanted
check 'a file that is none' refused 'wanted: '
sign 1
check 'a directory that is none' refused '1: it is no image: there is no index.json in it'
sign 1.tar
check 'an archive that is none' refused 'it is no image: there is no index.json in it, and no manifest.json'
broken() { # TITLE WORDS COMMAND: of a layout, after COMMAND in it
	new_layout
	image v1 1.tar.gz 2.tar.zst
	(cd layout && eval "$3")
	sign layout
	check "$1" refused "$2"
}
layer=$(sha256sum <2.tar.zst | cut -d' ' -f 1)
first=$(sha256sum <1.tar.gz | cut -d' ' -f 1)
broken 'a layer that was changed' 'it is not what its digest says' "cp blobs/sha256/$first blobs/sha256/$layer"
broken 'a layer with more behind its end' "blobs/sha256/$layer: " "echo more >>blobs/sha256/$layer"
broken 'a layer that is cut off' "blobs/sha256/$layer: " "truncate -s 100 blobs/sha256/$layer"
broken 'a layer that is not there' "blobs/sha256/$layer" "rm blobs/sha256/$layer"
broken 'a manifest that was changed' 'it is not what its digest says' 'for m in blobs/sha256/*; do grep -aq schemaVersion $m && echo >>$m; done; true'
broken 'an index that is no JSON' 'layout, index.json' 'echo "{" >index.json'
broken 'a digest that leads out of the layout' 'a digest is not "sha256:" and 64 digits' \
	"sed -i 's#sha256:[0-9a-f]*#sha256:../../../../etc/passwd#' index.json"
broken 'a blob that is a link' 'symbolic link' "rm blobs/sha256/$layer; ln -s /etc/passwd blobs/sha256/$layer"
broken 'no layers' 'an image has 0 layers' 'digest=$(printf "{}" | sha256sum | cut -d" " -f 1); printf "{}" >blobs/sha256/$digest
	echo "{\"manifests\": [{\"digest\": \"sha256:$digest\"}]}" >index.json'

# ---------------------------------------------------------------- what is hostile
tar -Pcf bad.tar --transform 's#^wanted#../../etc/passwd#' wanted
new_layout
image v1 bad.tar
sign layout
check 'a path that leads out of the root' refused 'the path "../../etc/passwd" has ".." in it'
mkdir -p whiteout && : >whiteout/x && tar -Pcf bad.tar --transform 's#^whiteout/x#../.wh.etc#' whiteout/x
new_layout
image v1 1.tar.gz bad.tar
sign layout
check 'a whiteout that does' refused 'has ".." in it'
truncate -s 300G huge && tar -Scf bad.tar huge && rm huge
new_layout
image v1 bad.tar
sign layout
check 'a file that unpacks to more than fits anywhere' refused 'it unpacks to more than 256 GiB'
sign
check 'an image is to be named' told 2 'which image'
sign --root / layout
check 'and no root' told 2 '--root and --files-from have no meaning'
run "$assay" sign --oci --deb --key key.pem --cert cert.pem --manifest m layout
check 'nor two kinds of sources' told 2 'exclude'
echo "1..$check_number"
exit "$check_failed"
