#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay log` of a log that a static region has kept: one that goes on, and one that is
# there for reading only, as after a reset. That another PCR is asked for is why.
# guest: --region kept --tpm new --banks sha256 --append cma=0
# flavours: 64k 7.3
# shellcheck source=tests/check.sh
. /bed/check.sh

insmod /bed/assay.ko || exit 1
cd /run || exit 1
: >file
echo "1..11"
run assay log show --previous
check "at first there is no log of the boot before" told 1 'has no log of the boot before'
assay measure file >/dev/null 2>&1
rmmod assay
insmod /bed/assay.ko || exit 1
run assay log show
check "the log goes on, and says that it does" prints 0 '^     1  .*  MEASURE ' '^     2  .*  KEXEC  .*, after boot ' '^3 records, all anchored'
run assay log show --previous
check "so there is none of the boot before" told 1 'has no log of the boot before'
works "it is exported" assay log export --format cel-tlv -o whole
rmmod assay

insmod /bed/assay.ko pcr=8 || exit 1
run assay log show --previous
check "the log of the boot before is shown" prints 0 '^     2  .* 14  .*  KEXEC ' '^3 records, all anchored in the TPM$'
run assay log show --previous --json --kind measure
check "as JSON, too" prints 0 '"kind":"MEASURE"' '"shown_count": 1, "record_count": 3'
run sh -c 'assay log export --previous --format cel-tlv | cmp - whole'
check "and exported: the same bytes" prints 0
run sh -c 'assay log export --previous | assay log import - | cmp - whole'
check "also by way of JSON" prints 0
run assay log show
check "the present log is another one" prints 0 '^     0  .*  8  .*  START ' '^1 record, all anchored'
run assay log follow --count 1
check "it is what is followed" prints 0 '^     0  .*  8  .*  START '
run assay log trim --no-archive --keep 1
check "and what is trimmed" prints 0 '^nothing to cut: the log begins with record 0'
rmmod assay
