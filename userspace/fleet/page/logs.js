// SPDX-License-Identifier: MIT
// What the logs of judged evidence have: its files by state, and assay's records over time.

import { drawn, element, number, table } from "./dom.js";

const FILE_STATES = {
	failed: "could not be measured", differs: "differ from their reference value", unknown: "are not known",
	allowed: "are allowed by the policy", signed: "are signed", matches: "are as they should be",
};
const AMISS = ["failed", "differs", "unknown"];

function fileGroups(verdict) {
	const files = verdict.files ?? [];
	return Object.entries(verdict.file_states ?? {}).filter(([, count]) => count > 0).map(([state, count]) => {
		const shown = files.filter((file) => file.state === state);
		return element("details", { open: AMISS.includes(state) },
			element("summary", {}, number(count), " ", element("span", { class: AMISS.includes(state) ? "not-trusted" : "trusted" }, FILE_STATES[state] ?? state)),
			table(shown.length < count ? `The first ${number(shown.length)} of them` : "Each with its digest", ["file", "digest", "where"],
				shown.map((file) => [file.path, [element("code", {}, file.digest),
					file.expected && element("div", {}, "expected: ", element("code", {}, file.expected))],
				`${file.log === "ima" ? "IMA, entry" : "record"} ${number(file.number)}`])));
	});
}

// Where each record is between the first and the last, by the device's clock.
function recordLine(records) {
	const timed = records.filter((record) => record.at > 0);
	if (timed.length < 2)
		return null;
	const from = timed[0].at, span = Math.max(1, timed.at(-1).at - from);
	return drawn("svg", { class: "records", viewBox: "0 0 1000 40", preserveAspectRatio: "none", "aria-hidden": "true" },
		drawn("rect", { class: "never", x: 0, y: 19, width: 1000, height: 2 }),
		timed.map((record) => drawn("rect", {
			class: record.file_count + record.ima_count > 0 ? "trusted" : "silent",
			x: (990 * (record.at - from)) / span, y: 6, width: 6, height: 28,
		})));
}

function recordTable(records) {
	return element("details", {}, element("summary", {}, number(records.length), " records, the newest last"),
		table("Records of assay's log in this evidence", ["record", "kind", "time (the device's clock)", "files", "events", "IMA's entries"],
			records.map((record) => [number(record.number), record.kind,
				record.at > 0 ? new Date(record.at * 1000).toISOString().slice(0, 19).replace("T", " ") : "",
				number(record.file_count), number(record.event_count), number(record.ima_count)])));
}

export function fileAndLogSections(verdict) {
	const records = verdict.records ?? [], groups = fileGroups(verdict);
	return [
		element("section", { id: "files", "aria-labelledby": "files-title" }, element("h2", { id: "files-title" }, "Files by state"),
			groups.length > 0 ? groups : element("p", { class: "faint" }, "None were in this evidence, or its logs could not be believed.")),
		records.length > 0 && element("section", { id: "log", "aria-labelledby": "log-title" }, element("h2", { id: "log-title" }, "The log over time"),
			recordLine(records), recordTable(records)),
	].filter(Boolean);
}
