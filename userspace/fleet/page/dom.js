// SPDX-License-Identifier: MIT
// Elements, made of text and attributes only: nothing that comes from elsewhere is ever read as
// HTML. Names of devices, paths of files and reasons are what somebody else wrote.

const SVG = "http://www.w3.org/2000/svg";

// Characters that cannot be seen, look like a space, or turn the direction of the text: by what
// Unicode says of them, and the blank one of Braille, of which it says that it is a symbol.
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;

// What others wrote, with each character that cannot be seen written as its number.
export function visible(text) {
	return String(text).replace(HIDDEN, (c) => "\\u{" + c.codePointAt(0).toString(16) + "}");
}

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes)) {
		if (typeof value === "function")
			node.addEventListener(name, value);
		else if (value === true)
			node.setAttribute(name, "");
		else if (value !== false && value !== null && value !== undefined)
			node.setAttribute(name, value);
	}
	for (const child of children.flat(Infinity)) {
		if (child !== null && child !== undefined && child !== false)
			node.append(child instanceof Node ? child : document.createTextNode(visible(child)));
	}
	return node;
}

// element("a", { href: "#/", click: function }, "text", child, ...)
export function element(tag, attributes = {}, ...children) {
	return fill(document.createElement(tag), attributes, children);
}

export function drawn(tag, attributes = {}, ...children) {
	return fill(document.createElementNS(SVG, tag), attributes, children);
}

export const STATES = ["trusted", "not-trusted", "silent", "never"];

const STATE_WORDS = {
	trusted: "trusted",
	"not-trusted": "not trusted",
	silent: "silent",
	never: "never attested",
};

export function stateWords(state) {
	return STATE_WORDS[state] ?? state;
}

export function stateMark(state) {
	const known = STATES.includes(state) ? state : "never";
	return element("span", { class: "state " + known }, stateWords(state));
}

export function number(value) {
	return Number(value).toLocaleString("en");
}

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

// A moment in seconds since 1970, as words, with the moment itself as its title.
export function when(seconds) {
	if (!seconds)
		return element("span", { class: "faint" }, "never");
	const exact = new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
	const away = seconds - Date.now() / 1000;
	const [unit, size] = UNITS.find(([, size]) => Math.abs(away) >= size) ?? UNITS[3];
	return element("time", { datetime: exact, title: exact },
		relative.format(Math.round(away / size), unit));
}

export function deviceLink(name) {
	return element("a", { href: "#/device/" + encodeURIComponent(name) }, name);
}

// A table with a caption: rows are arrays of cells, texts or nodes.
export function table(caption, heads, rows) {
	return element("table", {}, element("caption", {}, caption),
		element("thead", {}, element("tr", {}, heads.map((h) => element("th", { scope: "col" }, h)))),
		element("tbody", {}, rows.map((cells) => element("tr", {},
			cells.map((cell) => element("td", {}, cell))))));
}

// For screen readers: what has happened without the page being another.
export function say(text) {
	document.getElementById("said").textContent = text;
}
