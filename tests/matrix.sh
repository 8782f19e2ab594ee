#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/matrix.sh RESULTS TEST...: a table, in Markdown, of what the log was loaded on in these
# tests: kernel, architecture, page size, kind of region, protection, and how many tests passed.
# Made of the lines "# matrix:" of their results (tests/kmod/module.h); called by tests/run.sh.
set -eu
LC_ALL=C
export LC_ALL

results=${1:?}
shift
for test; do
	if [ ! -r "$results/$test/tap" ] || [ ! -r "$results/$test/counts" ]; then
		continue
	fi
	read -r passed failed _ <"$results/$test/counts"
	verdict=failed
	if [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]; then
		verdict=passed
	fi
	sed -n "s/^# matrix: /$verdict /p" "$results/$test/tap" | sort -u
done | awk '
	{
		verdict = $1
		row = sprintf("| %s | %s | %s | %s | %s |", $2, $3 == "aarch64" ? "arm64" : "x86-64", $4, $5, $6)
		$1 = $2 = $3 = $4 = $5 = $6 = ""
		sub(/^ */, "")
		row = row " " $0 " |"
		rows[row]
		count[row, verdict]++
	}
	END {
		for (row in rows)
			printf "%s %d%s |\n", row, count[row, "passed"],
				count[row, "failed"] ? sprintf(" (%d failed)", count[row, "failed"]) : ""
	}' | sort -V | sed '1i\
| kernel | architecture | pages | region | protection | result | tests |\
| --- | --- | --- | --- | --- | --- | --- |'
