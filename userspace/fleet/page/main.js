// SPDX-License-Identifier: MIT
// Which view the address asks for, shown anew when it becomes another one.

import { ApiError, forgetToken, hasToken } from "./api.js";
import { showAlarms } from "./alarms.js";
import { showDevice } from "./device.js";
import { showDevices } from "./devices.js";
import { showFleet } from "./fleet.js";
import { showPolicies } from "./policies.js";
import { showRollouts } from "./rollouts.js";

const VIEWS = [
	[/^\/?$/, showFleet, "Fleet"],
	[/^\/devices$/, showDevices, "Devices"],
	[/^\/device\/(.+)$/, showDevice, "Device"],
	[/^\/policies$/, showPolicies, "Policies"],
	[/^\/rollouts$/, showRollouts, "Roll-outs"],
	[/^\/alarms$/, showAlarms, "Alarms"],
];

const main = document.getElementById("main");
const trouble = document.getElementById("trouble");
const leave = document.getElementById("leave");
let shown = null;

function tell(error) {
	if (error.name === "AbortError")
		return;
	trouble.textContent = error instanceof ApiError ? error.message : "this page has a fault: " + error.message;
	trouble.hidden = false;
	if (!(error instanceof ApiError))
		console.error(error);
}

function markPage(path) {
	const at = "#" + (path.startsWith("/device") ? "/devices" : path === "" ? "/" : path);
	for (const link of document.querySelectorAll("nav a")) {
		if (link.getAttribute("href") === at)
			link.setAttribute("aria-current", "page");
		else
			link.removeAttribute("aria-current");
	}
}

// A view is given where to be, what its address has, and a signal that ends with it.
async function show() {
	const [path, query = ""] = location.hash.replace(/^#/, "").split("?", 2);
	const [pattern, view, title] = VIEWS.find(([pattern]) => pattern.test(path)) ?? VIEWS[0];
	const place = document.createElement("div");
	const first = shown === null;

	shown?.abort();
	shown = new AbortController();
	trouble.hidden = true;
	document.title = title + " \u2013 assay fleet";
	markPage(path);
	main.setAttribute("aria-busy", "true");
	main.replaceChildren(place);
	try {
		await view(place, {
			parameter: decodeURIComponent(pattern.exec(path)?.[1] ?? ""),
			query: new URLSearchParams(query),
			signal: shown.signal,
			tell,
		});
		if (!first)
			main.focus({ preventScroll: true });
	} catch (error) {
		tell(error);
	}
	leave.hidden = !hasToken();
	main.setAttribute("aria-busy", "false");
}

leave.addEventListener("click", () => {
	forgetToken();
	location.reload();
});
window.addEventListener("hashchange", (event) => {
	// The link that skips to the content is no address of a view.
	if (!new URL(event.newURL).hash.startsWith("#main"))
		show();
});
show();
