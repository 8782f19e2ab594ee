// SPDX-License-Identifier: MIT
// Policies, manifests and certificates with their versions, which devices they are for, and how two
// versions of a policy differ.

import { get } from "./api.js";
import { lineDifference } from "./difference.js";
import { element, number, table, when } from "./dom.js";
import { whatIfForm } from "./whatif.js";

const CONTEXT = 3; // lines

// A name may have slashes, which stay what they are.
function policyPath(name) {
	return "/v1/policies/" + name.split("/").map(encodeURIComponent).join("/");
}

async function policyText(name, version, signal) {
	const { content } = await get(policyPath(name), { version }, signal);
	return JSON.stringify(content, null, 2);
}

function differenceView(was, is) {
	const lines = lineDifference(was.split("\n"), is.split("\n"));
	const words = { added: "added", removed: "removed", same: "" };
	if (lines.every(([kind]) => kind === "same"))
		return element("p", {}, "The versions are the same.");
	return element("pre", { class: "difference", tabindex: "0", "aria-label": "differences" }, around(lines).map(([kind, text]) =>
		element("div", { class: kind }, element("span", { class: "unseen" }, words[kind]),
			{ added: "+ ", removed: "- ", same: "  " }[kind], text)));
}

// How the policy is another one than before: both are { policy, version }; before: null for none.
export async function policyDifference(before, now, signal) {
	const is = await policyText(now.policy, now.version, signal);
	if (before === null)
		return element("p", {}, "No policy is assigned to these devices now.");
	return differenceView(await policyText(before.policy, before.version, signal), is);
}

// Of what is the same, the lines next to what is not.
function around(lines) {
	const near = (index) => lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(([kind]) => kind !== "same");
	return lines.flatMap((line, index) => near(index) ? [line] : near(index - 1) || index === 0 ? [["same", "\u2026"]] : []);
}

function policyView(name, versions, { signal, tell }) {
	const place = element("div");
	const newest = versions[0].version;
	const pick = (id, chosen) => {
		const select = element("select", { id }, versions.map((v) => element("option", { value: v.version }, v.version)));
		select.value = chosen;
		return select;
	};
	const from = pick("from-" + name, versions[1]?.version ?? newest), to = pick("to-" + name, newest);
	const compare = async () => {
		try {
			const [was, is] = await Promise.all([policyText(name, from.value, signal), policyText(name, to.value, signal)]);
			place.replaceChildren(from.value === to.value ?
				element("pre", { tabindex: "0", "aria-label": "policy" }, is) : differenceView(was, is));
		} catch (error) {
			tell(error);
		}
	};

	return element("details", { "data-policy": name }, element("summary", {}, name, element("span", { class: "faint" }, ` version ${newest}, `, when(versions[0].at), " by ", versions[0].who)),
		element("form", { class: "filters", submit: (event) => { event.preventDefault(); compare(); } },
			element("div", {}, element("label", { for: from.id }, "From version"), from),
			element("div", {}, element("label", { for: to.id }, "to version"), to),
			element("button", { type: "submit" }, "Show the differences")), place,
		whatIfForm(name, versions, { signal, tell }));
}

function referenceTable(kind, references) {
	const rows = references.filter((r) => r.kind === kind)
		.map((r) => [r.name, number(r.version), when(r.at), r.who, number(r.size)]);
	return rows.length === 0 ? element("p", { class: "faint" }, "There is none.") :
		table("the newest versions first", ["name", "version", "uploaded", "by", "bytes"], rows);
}

export async function showPolicies(place, context) {
	const [{ references }, { assignments }] = await Promise.all([
		get("/v1/references", {}, context.signal), get("/v1/assignments", {}, context.signal),
	]);
	const byName = new Map();
	for (const reference of references.filter((r) => r.kind === "policy"))
		byName.set(reference.name, [...(byName.get(reference.name) ?? []), reference]);

	place.append(element("h1", {}, "Policies"),
		assignments.length === 0 ? element("p", {}, "No policy is assigned: no device can be trusted.") :
			table("Which devices are judged by which policy", ["devices with the label", "policy", "version"],
				assignments.map((a) => [a.label === "" ? "any other" : a.label, a.policy, number(a.version)])),
		element("h2", {}, "Versions"),
		byName.size === 0 ? element("p", { class: "faint" }, "There is none.") :
			element("div", {}, [...byName].map(([name, versions]) => policyView(name, versions, context))),
		element("h2", {}, "Manifests"), referenceTable("manifest", references),
		element("h2", {}, "Certificates"), referenceTable("certificate", references));
}
