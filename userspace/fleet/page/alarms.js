// SPDX-License-Identifier: MIT
// When devices became untrusted or silent, the newest first.

import { get } from "./api.js";
import { changeList } from "./changes.js";
import { element } from "./dom.js";

const LIMIT = 50;

export async function showAlarms(place, { signal, tell }) {
	const list = element("div");
	const older = element("button", { type: "button", hidden: true }, "Older ones");
	let before = "";

	async function more() {
		const { changes } = await get("/v1/changes", { alarms: 1, before, limit: LIMIT }, signal);
		if (changes.length > 0 || before === "")
			list.append(changeList(changes, { device: true }));
		before = changes.at(-1)?.id ?? "";
		older.hidden = changes.length < LIMIT;
	}

	older.addEventListener("click", () => more().catch(tell));
	place.append(element("h1", {}, "Alarms"),
		element("p", { class: "faint" }, "Each time that a device became untrusted or silent, the newest first."), list, older);
	await more();
}
