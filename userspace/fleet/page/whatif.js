// SPDX-License-Identifier: MIT
// What if a version of a policy was used: which devices would be held for something else, by what
// they sent last? Asked some devices at a time, and told as it comes.

import { post } from "./api.js";
import { deviceLink, element, number, say, stateMark } from "./dom.js";

const DEVICES = 200; // a request
const ROWS_MAX = 1000; // that are shown; all are counted

function sum(counts, answer) {
	counts.judged += answer.judged_count;
	counts.unchanged += answer.unchanged_count;
	counts.unknown += answer.unknown_count ?? 0;
	for (const change of answer.changes)
		counts[change.to] = (counts[change.to] ?? 0) + 1;
}

function summary(counts, done) {
	const words = [
		`${number(counts["not-trusted"] ?? 0)} would become not trusted`,
		`${number(counts.trusted ?? 0)} would become trusted`,
		`${number(counts.unchanged)} would stay as they are`,
	];
	if (counts.unknown > 0)
		words.push(`of ${number(counts.unknown)} nothing is kept that could be judged`);
	return (done ? "" : "So far: ") + words.join(", ") + ".";
}

function row(change) {
	return element("tr", {}, element("td", {}, deviceLink(change.device)),
		element("td", { class: "removed" }, "- ", stateMark(change.from)),
		element("td", { class: "added" }, "+ ", stateMark(change.to)),
		element("td", {}, change.reason));
}

// Asks, and puts what is said in its place; stopped() ends it.
export async function whatIf(place, question, { signal, stopped }) {
	const counts = { judged: 0, unchanged: 0, unknown: 0 };
	const told = element("p", {}, "Judging \u2026"), body = element("tbody");
	let after = "";

	place.replaceChildren(told, element("table", {},
		element("caption", {}, `Who would be held for something else by version ${question.version}`),
		element("thead", {}, element("tr", {},
			["device", "is", "would be", "why"].map((head) => element("th", { scope: "col" }, head)))), body));
	do {
		const answer = await post("/v1/what-if", { ...question, after, limit: DEVICES });
		signal.throwIfAborted();
		sum(counts, answer);
		body.append(...answer.changes.slice(0, Math.max(0, ROWS_MAX - body.rows.length)).map(row));
		after = answer.next ?? "";
		told.textContent = summary(counts, after === "");
	} while (after !== "" && !stopped());
	say(told.textContent);
}

export function whatIfForm(name, versions, { signal, tell }) {
	const place = element("div", { class: "what-if" });
	const version = element("select", { id: "what-if-version-" + name },
		versions.map((v) => element("option", { value: v.version }, v.version)));
	const label = element("input", { id: "what-if-label-" + name, type: "text", maxlength: 64 });
	const stop = element("button", { type: "button", hidden: true }, "Stop");
	const start = element("button", { type: "submit" }, "What if?");
	let stopped = false;

	stop.addEventListener("click", () => { stopped = true; });
	return [element("form", { class: "filters", submit: async (event) => {
		event.preventDefault();
		stopped = false;
		start.disabled = true;
		stop.hidden = false;
		try {
			const question = { policy: name, version: Number(version.value) };
			if (label.value !== "")
				question.label = label.value;
			await whatIf(place, question, { signal, stopped: () => stopped });
		} catch (error) {
			place.replaceChildren();
			tell(error);
		} finally {
			start.disabled = false;
			stop.hidden = true;
		}
	} }, element("div", {}, element("label", { for: version.id }, "If judged by version"), version),
	element("div", {}, element("label", { for: label.id }, "devices with the label (empty: all)"), label), start, stop), place];
}
