// SPDX-License-Identifier: MIT
// The service's answers: JSON by routes of this same origin. Where a client certificate does not say
// who is asking, a token does, which the tab keeps and nothing else.

const KEPT = "assay-fleet-token";

// An answer that is no result: its status, and the service's sentence.
export class ApiError extends Error {
	constructor(status, text) {
		super(text);
		this.status = status;
	}
}

export function hasToken() {
	return sessionStorage.getItem(KEPT) !== null;
}

export function forgetToken() {
	sessionStorage.removeItem(KEPT);
}

let asking = null;

// One dialog for all requests that wait for a token.
function askForToken() {
	asking ??= new Promise((resolve) => {
		const dialog = document.getElementById("token");
		const text = document.getElementById("token-text");
		text.value = "";
		dialog.addEventListener("close", () => {
			if (text.value !== "")
				sessionStorage.setItem(KEPT, text.value);
			text.value = "";
			asking = null;
			resolve();
		}, { once: true });
		dialog.showModal();
	});
	return asking;
}

async function refusal(response) {
	try {
		return new ApiError(response.status, (await response.json()).error);
	} catch {
		return new ApiError(response.status, "the service answers " + response.status);
	}
}

async function ask(path, options, signal) {
	const headers = new Headers(options.headers);
	const token = sessionStorage.getItem(KEPT);
	if (token !== null)
		headers.set("Authorization", "Bearer " + token);
	try {
		return await fetch(path, { ...options, headers, signal, cache: "no-store", redirect: "error", credentials: "same-origin" });
	} catch (error) {
		if (error.name === "AbortError")
			throw error;
		throw new ApiError(0, "the service does not answer");
	}
}

async function request(path, options = {}, signal = undefined) {
	let response = await ask(path, options, signal);
	while (response.status === 401) {
		forgetToken();
		await askForToken();
		signal?.throwIfAborted();
		if (!hasToken())
			throw await refusal(response);
		response = await ask(path, options, signal);
	}
	if (!response.ok)
		throw await refusal(response);
	return response.json();
}

// get("/v1/devices", { q: "text", limit: 100 }); values that are empty are left out
export function get(path, query = {}, signal = undefined) {
	const values = new URLSearchParams();
	for (const [name, value] of Object.entries(query)) {
		if (value !== "" && value !== null && value !== undefined)
			values.set(name, value);
	}
	const text = values.toString();
	return request(text === "" ? path : path + "?" + text, {}, signal);
}

export function post(path, body = null) {
	return request(path, body === null ? { method: "POST" } : {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify(body),
	});
}

export function remove(path) {
	return request(path, { method: "DELETE" });
}

// The path of a route: its texts, each as one segment.
export function path(strings, ...values) {
	return String.raw({ raw: strings }, ...values.map(encodeURIComponent));
}
