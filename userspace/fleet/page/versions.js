// SPDX-License-Identifier: MIT
// Which versions devices run, by what their evidence proved, and by which policy they are judged:
// each is a link to the devices that have it.

import { get } from "./api.js";
import { element, number } from "./dom.js";

const KINDS = {
	kernel: "Kernel", module: "assay's module", firmware: "Firmware", policy: "Judged by",
};
const SHOWN = 8; // of each kind; what is less frequent is summed up

function address(kind, version) {
	return "#/devices?" + new URLSearchParams({ [kind]: version });
}

function row(kind, { version, count }, most) {
	const share = element("span", { class: "share", "aria-hidden": "true" });
	share.style.width = Math.max(1, (100 * count) / most) + "%";
	return element("li", {}, share, version === "" ?
		element("span", { class: "faint" }, kind === "policy" ? "never judged" : "not known") :
		element("a", { href: address(kind, version) }, version), " ", element("span", { class: "count" }, number(count)));
}

function list(kind, versions) {
	const most = Math.max(1, ...versions.map((one) => one.count));
	const shown = versions.slice(0, SHOWN), rest = versions.slice(SHOWN).reduce((sum, one) => sum + one.count, 0);
	return element("section", { class: "versions", "data-kind": kind, "aria-labelledby": "versions-" + kind },
		element("h3", { id: "versions-" + kind }, KINDS[kind]),
		element("ul", {}, shown.map((one) => row(kind, one, most)),
			rest > 0 && element("li", {}, element("span", { class: "faint" }, "others"), " ", element("span", { class: "count" }, number(rest)))));
}

export async function versionsSection(signal) {
	const { versions } = await get("/v1/versions", {}, signal);
	return element("section", { id: "versions", "aria-labelledby": "versions-title" }, element("h2", { id: "versions-title" }, "Versions"),
		element("div", { class: "pictures" }, Object.keys(KINDS).map((kind) => list(kind, versions[kind]))));
}
