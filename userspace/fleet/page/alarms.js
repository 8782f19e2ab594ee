// SPDX-License-Identifier: MIT
// Alarms: which devices are not trusted or silent, since when and why; who has seen it; and those of
// before, which are closed by the device's being trusted again.

import { get, post } from "./api.js";
import { deviceLink, element, number, say, stateMark, stateWords, when } from "./dom.js";

const LIMIT = 50;
const NOTE_MAX = 500;
const AGAIN_MS = 10000;
const STATES = ["not-trusted", "silent"];
const SHOWN = {
	unseen: ["open, not acknowledged", { open: 1, acknowledged: 0 }],
	open: ["open", { open: 1 }],
	closed: ["closed", { open: 0 }],
	all: ["all", {}],
};

function seen(alarm) {
	if (alarm.acknowledged === 0)
		return null;
	return element("div", { class: "note" }, "Acknowledged by ", alarm.who, " ", when(alarm.acknowledged),
		alarm.note !== "" && [": ", element("q", {}, alarm.note)]);
}

// A field for a note, and a button; both go when it is done.
function acknowledging(alarm, again, tell) {
	if (alarm.closed > 0 || alarm.acknowledged > 0)
		return null;
	const note = element("input", { type: "text", maxlength: NOTE_MAX, id: "note-" + alarm.id, placeholder: "a note, if any" });
	const button = element("button", { type: "submit" }, "Acknowledge");
	return element("form", { class: "acknowledge", submit: async (event) => {
		event.preventDefault();
		button.disabled = true;
		try {
			await post(`/v1/alarms/${alarm.id}/acknowledge`, { note: note.value });
			say(`The alarm of ${alarm.device} is acknowledged`);
			await again();
		} catch (error) {
			button.disabled = false;
			tell(error);
		}
	} }, element("label", { class: "unseen", for: note.id }, `Note on the alarm of ${alarm.device}`), note, button);
}

function alarmItem(alarm, again, tell) {
	return element("li", { "data-alarm": alarm.id, class: alarm.closed > 0 ? "closed" : "open" },
		element("div", {}, stateMark(alarm.verdict), " ", deviceLink(alarm.device),
			alarm.label !== "" && element("span", { class: "faint" }, " ", alarm.label), " ",
			element("span", { class: "faint" }, "since ", when(alarm.at),
				alarm.closed > 0 && [", closed ", when(alarm.closed)], `, alarm ${alarm.id}`)),
		alarm.reason !== "" && element("div", {}, alarm.reason),
		seen(alarm), acknowledging(alarm, again, tell));
}

function filterForm(filter, changed) {
	const shown = element("select", { id: "alarm-shown" }, Object.entries(SHOWN).map(([name, [words]]) => element("option", { value: name }, words)));
	const state = element("select", { id: "alarm-state" }, element("option", { value: "" }, "any"),
		STATES.map((name) => element("option", { value: name }, stateWords(name))));
	const words = element("input", { id: "alarm-q", type: "search", value: filter.q, maxlength: 100 });
	const label = element("input", { id: "alarm-label", type: "text", value: filter.label, maxlength: 64 });

	shown.value = filter.shown;
	state.value = filter.state;
	return element("form", { class: "filters", role: "search", submit: (event) => {
		event.preventDefault();
		changed({ shown: shown.value, state: state.value, q: words.value, label: label.value });
	}, change: () => changed({ shown: shown.value, state: state.value, q: words.value, label: label.value }) },
	element("div", {}, element("label", { for: "alarm-shown" }, "Alarms that are"), shown),
	element("div", {}, element("label", { for: "alarm-state" }, "State"), state),
	element("div", {}, element("label", { for: "alarm-q" }, "Device's name has"), words),
	element("div", {}, element("label", { for: "alarm-label" }, "Label is"), label));
}

function filterOf(query) {
	const shown = query.get("shown") ?? "open";
	return { shown: shown in SHOWN ? shown : "open", state: query.get("state") ?? "", q: query.get("q") ?? "", label: query.get("label") ?? "" };
}

export async function showAlarms(place, { query, signal, tell }) {
	const counts = element("p", { id: "alarm-counts" });
	const list = element("ol", { class: "line", id: "alarms" });
	const none = element("p", { class: "faint" }, "There is none.");
	const older = element("button", { type: "button", hidden: true }, "Older ones");
	let filter = filterOf(query), before = "", turn = 0;

	async function fetchSome(from) {
		const { shown, ...rest } = filter;
		return get("/v1/alarms", { ...SHOWN[shown][1], ...rest, before: from, limit: LIMIT }, signal);
	}

	function tellCounts(answer) {
		counts.textContent = `${number(answer.open_count)} open, ${number(answer.unacknowledged_count)} of them not acknowledged`;
	}

	// Nothing is drawn anew under who is about to use it, has gone back in time, or where nobody looks.
	const inUse = () => document.hidden || place.contains(document.activeElement) || list.children.length > LIMIT;

	// What was asked last counts; unasked: not for somebody.
	async function show(from, unasked = false) {
		const mine = unasked ? turn : ++turn;
		const answer = await fetchSome(from);
		if (mine !== turn || (unasked && inUse()))
			return;
		if (from === "")
			list.replaceChildren();
		list.append(...answer.alarms.map((alarm) => alarmItem(alarm, again, tell)));
		before = answer.alarms.at(-1)?.id ?? "";
		none.hidden = list.children.length > 0;
		older.hidden = answer.alarms.length < LIMIT;
		tellCounts(answer);
	}

	const again = () => show("");

	older.addEventListener("click", () => show(before).catch(tell));
	place.append(element("h1", {}, "Alarms"), filterForm(filter, (changed) => {
		const values = new URLSearchParams(Object.entries(changed).filter(([, value]) => value !== ""));
		filter = changed;
		history.replaceState(null, "", "#/alarms?" + values);
		again().then(() => say(counts.textContent)).catch(tell);
	}), counts, none, list, older,
	element("p", { class: "faint" }, "An alarm is of a device, from when on it is not trusted or silent; it is closed by itself once the device is trusted again. ",
		"Another reason, or state, is to be acknowledged anew."));
	await again();
	const timer = setInterval(() => {
		if (!inUse())
			show("", true).catch(tell);
	}, AGAIN_MS);
	signal.addEventListener("abort", () => clearInterval(timer));
}
