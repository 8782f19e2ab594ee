// SPDX-License-Identifier: MIT
// All devices, however many: rows are made for what is in view only, and fetched a page at a time.

import { get } from "./api.js";
import { deviceLink, element, number, say, STATES, stateMark, stateWords, when } from "./dom.js";

const ROW_HEIGHT = 36; // of .grid-row, in pixels
const PAGE = 100; // rows a request
const PAGES_KEPT = 40;
const BEYOND = 8; // rows that are made above and below what is in view
const TYPING_MS = 250;
// Browsers cut elements that are higher: beyond this, the place on the bar stands for a share of the rows.
const HEIGHT_MAX = 8000000;

const HEADS = ["Device", "State", "Label", "Last seen", "Why"];

class Rows {
	#pages = new Map();
	#filter;
	#signal;
	#changed;
	#tell;
	count = 0;

	constructor(filter, signal, changed, tell) {
		this.#filter = filter;
		this.#signal = signal;
		this.#changed = changed;
		this.#tell = tell;
	}

	async open() {
		const answer = await get("/v1/devices", { ...this.#filter, limit: PAGE, count: 1 }, this.#signal);
		this.count = answer.count;
		this.#pages.set(0, answer.devices);
	}

	async #fetch(page) {
		this.#pages.set(page, null);
		try {
			const answer = await get("/v1/devices", { ...this.#filter, limit: PAGE, skip: page * PAGE }, this.#signal);
			this.#pages.set(page, answer.devices);
			this.#changed();
		} catch (error) {
			this.#pages.delete(page);
			this.#tell(error);
		}
	}

	// undefined while it is being fetched
	at(index) {
		const page = Math.floor(index / PAGE);
		const rows = this.#pages.get(page);
		if (rows === undefined) {
			if (this.#pages.size >= PAGES_KEPT)
				this.#pages.delete(this.#pages.keys().next().value);
			this.#fetch(page);
		}
		return rows?.[index - page * PAGE];
	}
}

function cells(device) {
	return [
		deviceLink(device.device), stateMark(device.verdict), device.label,
		when(device.seen), device.verdict === "trusted" ? "" : device.reason,
	];
}

// A grid by the ARIA practices: one stop of the tabulator, arrows go through its rows.
class Grid {
	#rows = null;
	#active = 0;
	#top = 0; // the first row in view
	#body = element("div", { class: "grid-body", role: "rowgroup" });
	#space = element("div", { role: "presentation" });
	#made = new Map();
	#pending = false;

	node = element("div", { class: "grid", role: "grid", tabindex: "0", "aria-label": "Devices", "aria-colcount": HEADS.length },
		element("div", { role: "rowgroup" }, element("div", { class: "grid-row grid-head", role: "row", "aria-rowindex": 1 },
			HEADS.map((head) => element("span", { role: "columnheader" }, head)))),
		this.#body);

	constructor() {
		this.#body.append(this.#space);
		this.#body.addEventListener("scroll", () => this.draw());
		this.#body.tabIndex = -1;
		this.node.addEventListener("keydown", (event) => this.#key(event));
		new ResizeObserver(() => this.draw()).observe(this.#body);
	}

	take(rows) {
		this.#rows = rows;
		this.#active = 0;
		this.#clear();
		this.#body.scrollTop = 0;
		this.#space.style.height = Math.min(HEIGHT_MAX, rows.count * ROW_HEIGHT) + "px";
		this.node.setAttribute("aria-rowcount", rows.count + 1);
		this.draw();
	}

	#clear() {
		for (const row of this.#made.values())
			row.node.remove();
		this.#made.clear();
	}

	draw() {
		if (this.#pending || this.#rows === null)
			return;
		this.#pending = true;
		requestAnimationFrame(() => {
			this.#pending = false;
			this.#drawNow();
		});
	}

	// Where the rows are higher than an element may be, the same share of both is in view.
	#offset() {
		const whole = this.#rows.count * ROW_HEIGHT, view = this.#body.clientHeight;
		const shown = Math.min(HEIGHT_MAX, whole);
		return whole <= shown ? 0 : (this.#body.scrollTop / (shown - view)) * (whole - shown);
	}

	#drawNow() {
		const offset = this.#offset(), from = this.#body.scrollTop + offset;
		const first = Math.max(0, Math.floor(from / ROW_HEIGHT) - BEYOND);
		const last = Math.min(this.#rows.count, Math.ceil((from + this.#body.clientHeight) / ROW_HEIGHT) + BEYOND);

		this.#top = Math.ceil(from / ROW_HEIGHT);
		for (const [index, row] of this.#made) {
			if (index < first || index >= last) {
				row.node.remove();
				this.#made.delete(index);
			}
		}
		for (let index = first; index < last; index++)
			this.#drawRow(index, index * ROW_HEIGHT - offset);
		this.#mark();
	}

	#drawRow(index, top) {
		const device = this.#rows.at(index);
		let row = this.#made.get(index);
		if (!row || row.device !== device) {
			row?.node.remove();
			row = {
				device,
				node: element("div", { class: "grid-row", role: "row", id: "row-" + index, "aria-rowindex": index + 2 },
					(device ? cells(device) : ["\u2026", "", "", "", ""]).map((cell) => element("span", { role: "gridcell" }, cell))),
			};
			// The grid is the one stop of the tabulator.
			for (const link of row.node.querySelectorAll("a"))
				link.tabIndex = -1;
			this.#made.set(index, row);
			this.#body.append(row.node);
		}
		row.node.style.transform = `translateY(${top}px)`;
	}

	#mark() {
		for (const [index, row] of this.#made)
			row.node.classList.toggle("active", index === this.#active);
		if (this.#made.has(this.#active))
			this.node.setAttribute("aria-activedescendant", "row-" + this.#active);
		else
			this.node.removeAttribute("aria-activedescendant");
	}

	#go(index) {
		const view = Math.floor(this.#body.clientHeight / ROW_HEIGHT);
		this.#active = Math.max(0, Math.min(this.#rows.count - 1, index));
		if (this.#active < this.#top)
			this.#scrollTo(this.#active * ROW_HEIGHT);
		else if (this.#active >= this.#top + view)
			this.#scrollTo((this.#active + 1) * ROW_HEIGHT - this.#body.clientHeight);
		this.#drawNow();
	}

	#scrollTo(from) {
		const whole = this.#rows.count * ROW_HEIGHT, view = this.#body.clientHeight;
		const shown = Math.min(HEIGHT_MAX, whole);
		this.#body.scrollTop = whole <= shown ? from : (from / (whole - view)) * (shown - view);
	}

	#key(event) {
		const view = Math.max(1, Math.floor(this.#body.clientHeight / ROW_HEIGHT) - 1);
		const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: view, PageUp: -view, Home: -Infinity, End: Infinity };
		if (this.#rows === null || this.#rows.count === 0 || event.ctrlKey || event.altKey || event.metaKey)
			return;
		if (event.key in steps) {
			event.preventDefault();
			this.#go(this.#active + steps[event.key]);
		} else if (event.key === "Enter") {
			this.#made.get(this.#active)?.node.querySelector("a")?.click();
		}
	}
}

const VERSIONS = { kernel: "kernel", module: "assay's module", firmware: "firmware", policy: "policy" };

// What a link to the list chose besides, each with a button that has it chosen no more.
function chosenVersions(filter, changed) {
	return Object.entries(VERSIONS).filter(([kind]) => filter[kind] !== "").map(([kind, words]) =>
		element("button", { type: "button", class: "chosen", click: (event) => {
			event.currentTarget.remove();
			changed(kind);
		} }, `${words} ${filter[kind]} `, element("span", { "aria-hidden": "true" }, "\u00d7"), element("span", { class: "unseen" }, "no longer")));
}

function filterForm(filter, changed) {
	const state = element("select", { id: "filter-state" }, element("option", { value: "" }, "any"),
		STATES.map((name) => element("option", { value: name }, stateWords(name))));
	const words = element("input", { id: "filter-q", type: "search", value: filter.q, maxlength: 100 });
	const label = element("input", { id: "filter-label", type: "text", value: filter.label, maxlength: 64 });
	let timer = 0;
	const later = () => {
		clearTimeout(timer);
		timer = setTimeout(() => changed({ ...filter, q: words.value, label: label.value, state: state.value }), TYPING_MS);
	};

	state.value = filter.state;
	for (const field of [words, label, state])
		field.addEventListener("input", later);
	return element("form", { class: "filters", role: "search", submit: (event) => event.preventDefault() },
		element("div", {}, element("label", { for: "filter-q" }, "Name has"), words),
		element("div", {}, element("label", { for: "filter-state" }, "State"), state),
		element("div", {}, element("label", { for: "filter-label" }, "Label is"), label),
		chosenVersions(filter, (kind) => {
			filter[kind] = "";
			later();
		}));
}

export async function showDevices(place, { query, signal, tell }) {
	const filter = { q: query.get("q") ?? "", label: query.get("label") ?? "", state: query.get("state") ?? "" };
	for (const kind of Object.keys(VERSIONS))
		filter[kind] = query.get(kind) ?? "";
	const count = element("p", { id: "count", class: "faint" });
	const grid = new Grid();
	let current = null;

	async function open(filter) {
		current?.abort();
		current = new AbortController();
		const rows = new Rows(filter, current.signal, () => grid.draw(), tell);
		await rows.open();
		count.textContent = number(rows.count) + (rows.count === 1 ? " device" : " devices");
		say(count.textContent);
		grid.take(rows);
	}

	signal.addEventListener("abort", () => current?.abort());
	place.append(element("h1", {}, "Devices"), filterForm(filter, (changed) => {
		const values = new URLSearchParams(Object.entries(changed).filter(([, value]) => value !== ""));
		// The address can be kept and shared; the fields stay as they are.
		history.replaceState(null, "", "#/devices" + (values.size > 0 ? "?" + values : ""));
		open(changed).catch(tell);
	}), count, grid.node,
	element("p", { class: "faint" }, "In the list: arrows, Page Up and Down, Home and End go through it, Enter opens."));
	await open(filter);
}
