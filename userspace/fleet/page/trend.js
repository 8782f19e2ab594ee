// SPDX-License-Identifier: MIT
// How many devices were held for what, by hour of the last day or by day: a picture for each state,
// by its own scale, since a few that are not trusted are what matters among a million that are.

import { get } from "./api.js";
import { drawn, element, number, STATES, stateWords } from "./dom.js";

const WIDTH = 1000, HEIGHT = 100; // of a picture, in its own units
const SPANS = {
	hour: { seconds: 3600, limit: 24, words: "Last 24 hours" },
	day: { seconds: 86400, limit: 90, words: "Last 90 days" },
};

function moment(at, by) {
	const text = new Date(at * 1000).toISOString();
	return by === "hour" ? text.slice(0, 16).replace("T", " ") : text.slice(0, 10);
}

// What was counted, and what is so now, the oldest first: [{ at, devices }]
function points(summaries, counts) {
	return [...summaries, { at: Math.floor(Date.now() / 1000), devices: counts, most: counts }];
}

// From nothing on; where all is far from it, from the least.
function scale(values) {
	const least = Math.min(...values), most = Math.max(...values);
	const from = least > 2 * (most - least) && most > least ? least : 0;
	return { from, to: most > from ? most : from + 1 };
}

// Where nobody counted there is no line.
function pieces(list, seconds) {
	const found = [];
	for (const point of list) {
		const last = found.at(-1)?.at(-1);
		if (last && point.at - last.at <= 2 * seconds)
			found.at(-1).push(point);
		else
			found.push([point]);
	}
	return found;
}

function line(list, state, span) {
	const { from, to } = scale(list.map((point) => point.devices[state] ?? 0));
	const begin = list[0].at, length = Math.max(1, list.at(-1).at - begin);
	const x = (at) => ((at - begin) * WIDTH) / length;
	const y = (value) => HEIGHT - 2 - ((HEIGHT - 4) * (value - from)) / (to - from);
	const path = pieces(list, span.seconds).map((piece) => piece.map((point, index) =>
		`${index === 0 ? "M" : "L"}${x(point.at).toFixed(1)} ${y(point.devices[state] ?? 0).toFixed(1)}`).join("") +
		(piece.length === 1 ? "h4" : "")).join("");
	const area = pieces(list, span.seconds).map((piece) => `M${x(piece[0].at).toFixed(1)} ${HEIGHT}` + piece.map((point) =>
		`L${x(point.at).toFixed(1)} ${y(point.devices[state] ?? 0).toFixed(1)}`).join("") + `L${x(piece.at(-1).at).toFixed(1)} ${HEIGHT}Z`).join("");

	return { from, to, path, area };
}

function words(list, state, by) {
	const values = list.map((point) => point.devices[state] ?? 0);
	return `${stateWords(state)}: ${number(values[0])} at ${moment(list[0].at, by)}, ${number(values.at(-1))} now, ` +
		`between ${number(Math.min(...values))} and ${number(Math.max(...values))}`;
}

function picture(list, state, by) {
	const { from, to, path, area } = line(list, state, SPANS[by]);
	return element("figure", { class: "over-time " + state },
		element("figcaption", {}, element("b", { class: state }, stateWords(state)), " ", number(list.at(-1).devices[state] ?? 0)),
		element("div", { class: "scale", "aria-hidden": "true" }, element("span", {}, number(to)), element("span", {}, number(from))),
		drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": words(list, state, by) },
			drawn("path", { class: "area", d: area }), drawn("path", { class: "stroke", d: path })),
		element("div", { class: "times", "aria-hidden": "true" }, element("span", {}, moment(list[0].at, by)), element("span", {}, "now")));
}

function asTable(list, by) {
	return element("details", {}, element("summary", {}, "The same as a table"),
		element("div", { class: "wide" }, element("table", {}, element("caption", {}, by === "hour" ? "Devices at each hour (UTC)" : "Devices at the end of each day (UTC), and the most that were not trusted in it"),
			element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "when"),
				STATES.map((state) => element("th", { scope: "col", class: "number" }, stateWords(state))),
				by === "day" && element("th", { scope: "col", class: "number" }, "most not trusted"))),
			element("tbody", {}, [...list].reverse().map((point, index) => element("tr", {},
				element("th", { scope: "row" }, index === 0 ? "now" : moment(point.at, by)),
				STATES.map((state) => element("td", { class: "number" }, number(point.devices[state] ?? 0))),
				by === "day" && element("td", { class: "number" }, number(point.most["not-trusted"] ?? 0))))))));
}

async function draw(place, by, counts, signal) {
	const { summaries } = await get("/v1/summaries", { by, limit: SPANS[by].limit }, signal);
	const list = points(summaries, counts);
	place.replaceChildren(summaries.length === 0 ?
		element("p", { class: "faint" }, "Nothing was counted yet: it is, once an hour.") :
		element("div", {}, element("div", { class: "pictures" }, STATES.map((state) => picture(list, state, by))), asTable(list, by)));
}

// options.by: what was chosen before; options.chosen is told what is
export async function trendSection(counts, options, { signal, tell }) {
	const place = element("div");
	const choice = (by) => {
		const button = element("input", { type: "radio", name: "trend-by", id: "trend-by-" + by, checked: by === options.by, change: async () => {
			options.chosen(by);
			try {
				await draw(place, by, counts, signal);
			} catch (error) {
				tell(error);
			}
		} });
		return [button, element("label", { for: button.id }, SPANS[by].words)];
	};

	await draw(place, options.by, counts, signal);
	return element("section", { id: "trend", "aria-labelledby": "trend-title" }, element("h2", { id: "trend-title" }, "Over time"),
		element("fieldset", { class: "choice" }, element("legend", { class: "unseen" }, "How far back"), Object.keys(SPANS).map(choice)), place);
}
