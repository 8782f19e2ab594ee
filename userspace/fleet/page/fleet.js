// SPDX-License-Identifier: MIT
// The fleet at a glance: how many devices are held for what, how that changed in the last day, and
// what happened last.

import { get } from "./api.js";
import { changeList } from "./changes.js";
import { drawn, element, number, say, STATES, stateWords } from "./dom.js";
import { trendSection } from "./trend.js";
import { versionsSection } from "./versions.js";

const AGAIN_MS = 10000;
const VERSIONS_MS = 300000; // all devices are counted for them

function percent(part, whole) {
	const share = whole === 0 ? 0 : (100 * part) / whole;
	return share > 0 && share < 0.1 ? "under 0.1 %" : share.toFixed(1).replace(/\.0$/, "") + " %";
}

// One line, each state's share of it; what it says stands in the cards as well.
function bar(counts, whole) {
	let at = 0;
	return drawn("svg", { class: "bar", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" },
		STATES.map((state) => {
			// What is there is to be seen, however little it is.
			const width = counts[state] === 0 ? 0 : Math.max(4, (1000 * counts[state]) / whole);
			const part = drawn("rect", { class: state, x: at, y: 0, width, height: 10 });
			at += width;
			return part;
		}));
}

function cards(counts, whole, alarms) {
	return element("ul", { class: "cards" }, STATES.map((state) => element("li", {},
		element("a", { href: "#/devices?state=" + state },
			element("b", { class: state }, number(counts[state])),
			stateWords(state), element("span", { class: "faint" }, " ", percent(counts[state], whole))))),
	element("li", {}, element("a", { href: "#/alarms?shown=unseen" },
		element("b", { class: alarms.unacknowledged_count > 0 ? "not-trusted" : "never" }, number(alarms.unacknowledged_count)),
		"alarms not acknowledged", element("span", { class: "faint" }, " of ", number(alarms.open_count), " open"))));
}

// Changes an hour, to each state; the same as a table for who does not see it.
function changesByHour(hours) {
	const most = Math.max(1, ...hours.map((h) => STATES.reduce((sum, s) => sum + (h[s] ?? 0), 0)));
	const step = 1000 / hours.length;
	const figure = drawn("svg", { class: "trend", viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" });

	hours.forEach((hour, index) => {
		let top = 100;
		for (const state of STATES) {
			const height = (95 * (hour[state] ?? 0)) / most;
			top -= height;
			if (height > 0)
				figure.append(drawn("rect", { class: state, x: index * step + 2, y: top, width: step - 4, height }));
		}
	});
	return figure;
}

function changesTable(hours) {
	const busy = hours.filter((hour) => STATES.some((state) => hour[state] > 0));
	return element("details", {}, element("summary", {}, "The same as a table"),
		element("table", {}, element("caption", {}, "Verdict changes by hour"),
			element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "from"),
				STATES.map((state) => element("th", { scope: "col", class: "number" }, "to ", stateWords(state))))),
			element("tbody", {}, busy.map((hour) => element("tr", {},
				element("th", { scope: "row" }, new Date(hour.at * 1000).toISOString().slice(0, 16).replace("T", " "), " UTC"),
				STATES.map((state) => element("td", { class: "number" }, number(hour[state] ?? 0))))))));
}

let versions = null, versionsAt = 0;
let by = "hour"; // how the trend is shown, for as long as the page is

// Nothing is drawn anew under who is about to use it, or where nobody looks.
function inUse(place) {
	return document.hidden || place.contains(document.activeElement) || place.querySelector("details[open]") !== null;
}

async function draw(place, context, unasked = false) {
	const { signal } = context;
	const [fleet, trends, changes, alarms] = await Promise.all([
		get("/v1/fleet", {}, signal),
		get("/v1/trend", {}, signal),
		get("/v1/changes", { limit: 8 }, signal),
		get("/v1/alarms", { limit: 1 }, signal),
	]);
	const counts = Object.fromEntries(STATES.map((state) => [state, fleet.devices[state] ?? 0]));
	const whole = STATES.reduce((sum, state) => sum + counts[state], 0);
	if (versions === null || Date.now() - versionsAt > VERSIONS_MS) {
		versions = await versionsSection(signal);
		versionsAt = Date.now();
	}
	const overTime = await trendSection(counts, { by, chosen: (name) => { by = name; } }, context);

	if (unasked && inUse(place))
		return counts;
	place.replaceChildren(
		element("h1", {}, number(whole), whole === 1 ? " device" : " devices"),
		whole === 0 ? element("p", {}, "No device is enrolled yet: assay-enroll(1), assay-fleet(8).") : bar(counts, whole),
		cards(counts, whole, alarms),
		overTime, versions,
		element("h2", {}, "Verdict changes in the last 24 hours"),
		changesByHour(trends.hours), changesTable(trends.hours),
		element("h2", {}, "Last changes"),
		changeList(changes.changes, { device: true }));
	return counts;
}

export async function showFleet(place, context) {
	const { signal, tell } = context;
	versions = null;
	let before = await draw(place, context);
	const timer = setInterval(async () => {
		if (inUse(place))
			return;
		try {
			const counts = await draw(place, context, true);
			if (counts["not-trusted"] !== before["not-trusted"])
				say(number(counts["not-trusted"]) + " devices are not trusted");
			before = counts;
		} catch (error) {
			tell(error);
		}
	}, AGAIN_MS);
	signal.addEventListener("abort", () => clearInterval(timer));
}
