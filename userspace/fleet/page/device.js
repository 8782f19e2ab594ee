// SPDX-License-Identifier: MIT
// One device: what it is held for and why, what changed since the verdict before, each check, its
// verdicts over time, and the evidence as it came.

import { get, path, post } from "./api.js";
import { changeList, differenceList } from "./changes.js";
import { element, number, say, stateMark, table, when } from "./dom.js";
import { fileAndLogSections } from "./logs.js";

const CHANGES = 50;
const RAW_MAX = 262144; // characters of evidence that are shown; all of it can be saved

const GROUPS = { quote: "The quote", firmware: "The boot", log: "assay's log", ima: "IMA's list", files: "Files" };
const ORDER = { fail: 0, "not-checked": 1, pass: 2 };

function fact(name, value) {
	return [element("dt", {}, name), element("dd", {}, value)];
}

function facts(device) {
	return element("dl", { class: "facts" },
		fact("state", [stateMark(device.verdict), " since ", when(device.since)]),
		device.reason !== "" && fact("why", device.reason),
		fact("last seen", when(device.seen)),
		fact("last judged", when(device.judged)),
		fact("due", when(device.due)),
		fact("judged by", device.policy === "" ? "no policy yet" : device.policy),
		fact("label", device.label === "" ? "none" : device.label),
		fact("enrolled", [when(device.enrolled), device.approved ? "" : ", not approved yet"]),
		device.kernel !== "" && fact("kernel", [device.kernel, device.module !== "" && `, assay's module ${device.module}`]),
		device.firmware !== "" && fact("firmware", device.firmware),
		fact("boot", device.boot_id === "" ? "unknown" : element("code", {}, device.boot_id)),
		fact("judged of its logs", `${number(device.records)} records of assay, ${number(device.entries)} entries of IMA`));
}

function checkRows(checks) {
	return [...checks].sort((a, b) => ORDER[a.result] - ORDER[b.result]).map((check) => [
		element("code", {}, check.name),
		element("span", { class: check.result === "fail" ? (check.required ? "not-trusted" : "silent") : check.result === "pass" ? "trusted" : "never" },
			check.result === "pass" ? "passed" : check.result === "fail" ? "failed" : "not checked"),
		check.required ? "required" : "",
		[check.detail, check.result !== "pass" && check.required && element("div", { class: "faint" }, check.advice)],
	]);
}

function checkGroups(verdict) {
	const groups = Map.groupBy ? Map.groupBy(verdict.checks, (c) => c.group) :
		verdict.checks.reduce((map, c) => map.set(c.group, [...(map.get(c.group) ?? []), c]), new Map());
	return [...groups].map(([name, checks]) => {
		const blamed = checks.filter((c) => c.required && c.result !== "pass").length;
		const passed = checks.filter((c) => c.result === "pass").length;
		return element("details", { open: blamed > 0 },
			element("summary", {}, GROUPS[name] ?? name, ": ", `${passed} of ${checks.length} passed`,
				blamed > 0 && element("span", { class: "not-trusted" }, `, ${blamed} to blame`)),
			table(`Checks of ${GROUPS[name] ?? name}`, ["check", "result", "", "what was found"], checkRows(checks)));
	});
}

async function showEvidence(place, digest, signal) {
	const evidence = await get(path`/v1/evidence/${digest}`, {}, signal);
	const text = JSON.stringify(evidence, null, 2);
	const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
	signal.addEventListener("abort", () => URL.revokeObjectURL(address));
	place.replaceChildren(
		element("p", {}, element("a", { href: address, download: `evidence-${digest.slice(0, 16)}.json` }, "Save it"),
			`, ${number(text.length)} characters; assay verify judges it.`),
		element("pre", { tabindex: "0", "aria-label": "evidence" },
			text.length > RAW_MAX ? text.slice(0, RAW_MAX) + "\n\u2026" : text));
}

function verdictOf(change, signal) {
	return get(`/v1/changes/${change.id}/verdict`, {}, signal).then((answer) => answer.verdict);
}

// A button that fetches, once, what it is for, and puts it in its place.
function later(words, fetchInto, tell) {
	const place = element("div");
	const button = element("button", { type: "button", click: async () => {
		button.disabled = true;
		try {
			await fetchInto(place);
			button.remove();
		} catch (error) {
			button.disabled = false;
			tell(error);
		}
	} }, words);
	return [element("div", {}, button), place];
}

function timeLine(changes, { signal, tell }) {
	return changeList(changes, {
		action: (change) => {
			const before = changes[changes.indexOf(change) + 1];
			return [
				before && later("What changed?", async (place) => {
					const [was, is] = await Promise.all([verdictOf(before, signal), verdictOf(change, signal)]);
					place.replaceChildren(differenceList(was, is));
				}, tell),
				change.evidence && later("Evidence", (place) => showEvidence(place, change.evidence, signal), tell),
			];
		},
	});
}

function approval(device, name, again, tell) {
	if (device.approved)
		return null;
	return element("p", {}, "It enrolled itself and may not attest yet. ", element("button", { type: "button", click: async () => {
		try {
			await post(path`/v1/devices/${name}/approve`);
			say(name + " is approved");
			again();
		} catch (error) {
			tell(error);
		}
	} }, "Approve it"));
}

export async function showDevice(place, context) {
	const { parameter: name, signal, tell } = context;
	const [{ device }, { changes }] = await Promise.all([
		get(path`/v1/devices/${name}`, {}, signal),
		get(path`/v1/devices/${name}/changes`, { limit: CHANGES }, signal),
	]);
	const again = () => showDevice(place, context).catch(tell);

	place.replaceChildren(element("h1", {}, name), approval(device, name, again, tell) ?? "", facts(device));
	document.title = name + " \u2013 assay fleet";
	if (changes.length === 0)
		return;
	const [is, was] = await Promise.all([
		verdictOf(changes[0], signal), changes.length > 1 ? verdictOf(changes[1], signal) : null,
	]);
	place.append(
		element("section", { id: "changed", "aria-labelledby": "changed-title" }, element("h2", { id: "changed-title" }, "What changed"),
			was ? differenceList(was, is) : element("p", {}, "This is its first verdict.")),
		element("section", { id: "checks", "aria-labelledby": "checks-title" }, element("h2", { id: "checks-title" }, "Checks"),
			is.checks ? checkGroups(is) : element("p", {}, "There was nothing to judge.")),
		...fileAndLogSections(is),
		element("section", { id: "line", "aria-labelledby": "line-title" }, element("h2", { id: "line-title" }, "Verdicts over time"),
			timeLine(changes, context)));
}
