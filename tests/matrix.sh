#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/matrix.sh [--summary] RESULTS TEST...: a table, in Markdown, of what the log was loaded on in
# these tests: kernel, architecture, page size, kind of region, protection, and how many tests passed.
# The summary, which kmod/README.md has, is of the kernels' series alone, of tests that passed, and
# of refusals has the reason alone.
# Made of the lines "# matrix:" of their results (tests/kmod/module.h); called by tests/run.sh.
set -eu
LC_ALL=C
export LC_ALL

summary=0
if [ "${1:-}" = --summary ]; then
	summary=1
	shift
fi
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
done | awk -v summary=$summary '
	{
		verdict = $1
		if (summary) {
			if (verdict == "failed")
				next
			special = $2 ~ /-assay[a-z]/ ? substr($2, index($2, "-assay") + 6) : ""
			sub(/\.[0-9]+[-+].*/, special ? " (" special ")" : "", $2)
			sub(/;.*/, "")
		}
		row = sprintf("| %s | %s | %s | %s | %s |", $2, $3 == "aarch64" ? "arm64" : "x86-64", $4, $5, $6)
		$1 = $2 = $3 = $4 = $5 = $6 = ""
		sub(/^ */, "")
		row = row " " $0 " |"
		rows[row]
		count[row, verdict]++
	}
	END {
		for (row in rows)
			if (summary)
				print row
			else
				printf "%s %d%s |\n", row, count[row, "passed"],
					count[row, "failed"] ? sprintf(" (%d failed)", count[row, "failed"]) : ""
	}' | sort -V | if [ $summary -eq 1 ]; then
	sed '1i\
| kernel | architecture | pages | region | protection | result |\
| --- | --- | --- | --- | --- | --- |'
else
	sed '1i\
| kernel | architecture | pages | region | protection | result | tests |\
| --- | --- | --- | --- | --- | --- | --- |'
fi
