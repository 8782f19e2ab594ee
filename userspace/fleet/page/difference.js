// SPDX-License-Identifier: MIT
// How two texts differ, by lines: the longest common subsequence.

const LINES_MAX = 3000; // of both, behind what is the same at the beginning and the end

// [["same" | "removed" | "added", line], ...]
export function lineDifference(was, is) {
	let first = 0, wasEnd = was.length, isEnd = is.length;
	while (first < wasEnd && first < isEnd && was[first] === is[first])
		first++;
	while (wasEnd > first && isEnd > first && was[wasEnd - 1] === is[isEnd - 1]) {
		wasEnd--;
		isEnd--;
	}
	return [
		...was.slice(0, first).map((line) => ["same", line]),
		...middle(was.slice(first, wasEnd), is.slice(first, isEnd)),
		...was.slice(wasEnd).map((line) => ["same", line]),
	];
}

function middle(was, is) {
	const whole = () => [...was.map((line) => ["removed", line]), ...is.map((line) => ["added", line])];
	// A table of all pairs would be too large: all of one went, all of the other came.
	return was.length + is.length > LINES_MAX ? whole() : walk(was, is, lengths(was, is));
}

function lengths(was, is) {
	const table = Array.from({ length: was.length + 1 }, () => new Uint16Array(is.length + 1));
	for (let i = was.length - 1; i >= 0; i--) {
		for (let j = is.length - 1; j >= 0; j--)
			table[i][j] = was[i] === is[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
	}
	return table;
}

function walk(was, is, table) {
	const found = [];
	let i = 0, j = 0;
	while (i < was.length || j < is.length) {
		if (i < was.length && j < is.length && was[i] === is[j]) {
			found.push(["same", was[i++]]);
			j++;
		} else if (j >= is.length || (i < was.length && table[i + 1][j] >= table[i][j + 1])) {
			found.push(["removed", was[i++]]);
		} else {
			found.push(["added", is[j++]]);
		}
	}
	return found;
}
