# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
# What the demonstrations (demo.sh, device.sh) do and say a step at a time. Sourced, with $out set to a
# directory; $out/steps and $out/attacks have what was seen, an object of JSON a line.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	good=$(printf '\033[32m') bad=$(printf '\033[31m') plain=$(printf '\033[0m')
else
	good='' bad='' plain=''
fi
: >"$out/steps"
: >"$out/attacks"

milliseconds() {
	echo $(($(date +%s%N) / 1000000))
}

seconds_since() {
	awk -v from="$1" -v to="$(milliseconds)" 'BEGIN { printf "%.2f", (to - from) / 1000 }'
}

# short TEXT: what fits on a line; the report has all of it
short() {
	if [ "${#1}" -gt 96 ]; then printf '%.93s...' "$1"; else printf '%s' "$1"; fi
}

# told OK NAME SECONDS TITLE DETAIL: a step that is over
told() {
	jq -cn --argjson ok "$1" --arg name "$2" --argjson seconds "$3" --arg title "$4" \
		--arg detail "$5" '$ARGS.named' >>"$out/steps"
	if [ "$1" = true ]; then told_mark="${good}ok$plain"; else told_mark="${bad}FAILED$plain"; fi
	printf '%-4s %7s s  %-36s %s\n' "$told_mark" "$3" "$4" \
		"$(short "$5")"
}

# attack CAUGHT NAME TITLE BY
attack() {
	jq -cn --argjson caught "$1" --arg name "$2" --arg title "$3" --arg by "$4" \
		'$ARGS.named' >>"$out/attacks"
}

# step NAME TITLE FUNCTION: the function's last line of output is what was seen. A
# step that fails ends the demo: what follows would mean nothing.
step() {
	step_from=$(milliseconds)
	# Not as a condition: there the shell would pass over failures within.
	set +e
	( set -e; "$3" ) >"$out/$1.log" 2>&1
	step_status=$?
	set -e
	if [ "$step_status" -eq 0 ]; then
		told true "$1" "$(seconds_since "$step_from")" "$2" "$(tail -n 1 "$out/$1.log")"
	else
		told false "$1" "$(seconds_since "$step_from")" "$2" "$(tail -n 1 "$out/$1.log")"
		sed 's/^/    /' "$out/$1.log"
		exit 1
	fi
}

# show_attacks: all of them, as a table
show_attacks() {
	printf '\n%-10s  %-52s  %s\n' verdict attack 'caught by'
	jq -r '[if .caught then "caught" else "NOT CAUGHT" end, .title,
		if (.by | length) > 80 then .by[:77] + "..." else .by end] | @tsv' "$out/attacks" |
		awk -F'\t' '{ printf "%-10s  %-52s  %s\n", $1, $2, $3 }'
}
