// SPDX-License-Identifier: MIT
// Changes of verdicts, and what changed between two of them in words.

import { deviceLink, element, stateMark, when } from "./dom.js";

// A list, the newest first; options.device: with the devices' names
export function changeList(changes, options = {}) {
	if (changes.length === 0)
		return element("p", { class: "faint" }, "There is none.");
	return element("ol", { class: "line" }, changes.map((change) => element("li", {},
		stateMark(change.verdict), " ", options.device && [deviceLink(change.device), " "],
		element("span", { class: "faint" }, when(change.at)),
		change.reason !== "" && element("div", {}, change.reason),
		options.action?.(change))));
}

const PAST = { pass: "passed", fail: "failed", "not-checked": "was not checked" };
const RESULTS = { pass: "passes", fail: "fails", "not-checked": "is not checked" };

function resultWords(result) {
	return RESULTS[result] ?? result;
}

function checksByName(verdict) {
	return new Map((verdict.checks ?? []).map((check) => [check.name, check]));
}

function checkSentence(name, was, is) {
	if (!was)
		return `${name} is a new check; it ${resultWords(is.result)}: ${is.detail}`;
	if (!is)
		return `${name} is no longer made`;
	if (was.result !== is.result)
		return `${name} now ${resultWords(is.result)} (before, it ${PAST[was.result] ?? was.result}): ${is.detail}`;
	if (was.required !== is.required)
		return `${name} is ${is.required ? "now required" : "no longer required"}`;
	if (is.result === "fail" && was.detail !== is.detail)
		return `${name} fails for another reason: ${is.detail} (before: ${was.detail})`;
	return null;
}

function manifestSentences(was, is) {
	const before = new Set((was.manifests ?? []).map((manifest) => manifest.id));
	const now = new Set((is.manifests ?? []).map((manifest) => manifest.id));
	const words = (manifest) => `${manifest.product ?? manifest.id} of ${manifest.created}`;
	return [
		...(is.manifests ?? []).filter((m) => !before.has(m.id)).map((m) => `it is now compared with the manifest ${words(m)}`),
		...(was.manifests ?? []).filter((m) => !now.has(m.id)).map((m) => `it is no longer compared with the manifest ${words(m)}`),
	];
}

// What changed between two verdicts, as sentences; what matters most comes first.
export function differences(was, is) {
	const before = checksByName(was), now = checksByName(is);
	const names = [...new Set([...now.keys(), ...before.keys()])];
	const checks = names.map((name) => [now.get(name), checkSentence(name, before.get(name), now.get(name))])
		.filter(([, sentence]) => sentence !== null)
		.sort(([a], [b]) => Number(b?.result === "fail") - Number(a?.result === "fail"))
		.map(([, sentence]) => sentence);
	return [
		...(was.sentence !== is.sentence ? [`the verdict is "${is.sentence}"; it was "${was.sentence}"`] : []),
		...checks, ...manifestSentences(was, is),
	];
}

export function differenceList(was, is) {
	const sentences = differences(was, is);
	return sentences.length === 0 ? element("p", {}, "Nothing but counters and times.") :
		element("ul", {}, sentences.map((sentence) => element("li", {}, sentence)));
}

