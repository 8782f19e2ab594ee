// SPDX-License-Identifier: MIT
// Roll-outs: a policy for a share of the devices of a label first, and what came of it; what was
// proposed and waits for a second person; and a new one, with what it would change before it is.

import { get, path, post, remove } from "./api.js";
import { element, number, say, table, when } from "./dom.js";
import { policyDifference } from "./policies.js";
import { whatIf } from "./whatif.js";

const HALT_DEFAULT = 5; // percent
const AGAIN_MS = 15000;

function labelWords(label) {
	return label === "" ? "all devices without a policy of their label's own" : `devices with the label ${label}`;
}

function policyWords(one) {
	return [element("b", {}, one.policy), ` version ${one.version}`];
}

function shareWords(percent) {
	return percent === 0 ? "none any more" : percent === 100 ? "all" : percent + " %";
}

// A button that has to be pressed twice: the second one is another one, which says what happens.
function deciding(words, question, act, { again, tell }) {
	const place = element("span", { class: "deciding" });
	const first = element("button", { type: "button", click: () => {
		const yes = element("button", { type: "button", class: "yes", click: async () => {
			yes.disabled = true;
			try {
				await act();
				say(`Done: ${words}`);
				place.replaceChildren(first);
				first.focus();
				await again();
			} catch (error) {
				place.replaceChildren(first);
				tell(error);
			}
		} }, "Yes");
		place.replaceChildren(element("span", {}, question, " "), yes,
			element("button", { type: "button", click: () => { place.replaceChildren(first); first.focus(); } }, "No"));
		yes.focus();
	} }, words);
	place.append(first);
	return place;
}

function decide(rollout, percent) {
	return post("/v1/rollouts", { label: rollout.label, policy: rollout.policy, version: rollout.version, percent, halt_percent: rollout.halt_percent });
}

// What it changes: the policy's lines, and the devices, by what they sent last.
function preview(one, assigned, context) {
	const place = element("div", { class: "preview" });
	const stop = element("button", { type: "button", hidden: true }, "Stop");
	let stopped = false;
	const button = element("button", { type: "button", click: async () => {
		button.disabled = true;
		stop.hidden = false;
		stopped = false;
		const lines = element("div"), devices = element("div", { class: "what-if" });
		try {
			const chosen = one();
			const before = assigned(chosen);
			place.replaceChildren(element("h4", {}, "What another policy says"), lines, element("h4", {}, "Who would be held for something else"), devices);
			lines.append(await policyDifference(before, chosen, context.signal));
			const question = { policy: chosen.policy, version: chosen.version, label: chosen.label };
			await whatIf(devices, question, { signal: context.signal, stopped: () => stopped });
		} catch (error) {
			context.tell(error);
		} finally {
			button.disabled = false;
			stop.hidden = true;
		}
	} }, "What would it change?");
	stop.addEventListener("click", () => { stopped = true; });
	return [button, " ", stop, place];
}

function rolloutCard(rollout, me, assigned, context) {
	const judged = Math.min(rollout.judged_count, rollout.staged_count);
	const may = me.role === "approver";
	const percent = element("input", { type: "number", min: 1, max: 99, value: Math.min(99, rollout.percent * 2), id: "percent-" + rollout.label });
	const bar = element("progress", { max: Math.max(1, rollout.staged_count), value: judged, "aria-label": `Judged by ${rollout.policy} version ${rollout.version}` });

	return element("li", { class: "card", "data-rollout": rollout.label },
		element("h3", {}, policyWords(rollout), " for ", labelWords(rollout.label)),
		element("p", {}, rollout.halted ?
			element("span", { class: "state not-trusted" }, "halted") :
			element("span", { class: "state trusted" }, "under way"),
		` for ${rollout.percent} % of them; it is halted, and all are judged as before, where more than ${rollout.halt_percent} % of those turn not trusted.`),
		bar, element("p", {}, `About ${number(rollout.staged_count)} devices, ${number(rollout.judged_count)} judged by it so far, `,
			element("span", { class: rollout.red_count > 0 ? "not-trusted" : "" }, `${number(rollout.red_count)} turned from trusted to not trusted`), "."),
		preview(() => rollout, assigned, context),
		may && element("p", { class: "actions" },
			element("label", { for: percent.id }, "Share in percent"), percent,
			deciding("Go on with this share", `Judge ${labelWords(rollout.label)} by it, in that share?`, () => decide(rollout, Number(percent.value)), context),
			deciding("For all", `Judge ${labelWords(rollout.label)} by it from now on?`, () => decide(rollout, 100), context),
			deciding("End it", "Judge all as before?", () => decide(rollout, 0), context)));
}

function proposalCard(proposal, me, assigned, context) {
	const own = proposal.who === me.who, may = me.role === "approver";
	return element("li", { class: "card", "data-proposal": proposal.id },
		element("h3", {}, policyWords(proposal), ` to ${shareWords(proposal.percent)} of ${labelWords(proposal.label)}`),
		element("p", {}, `Proposal ${proposal.id} of ${proposal.who}, `, when(proposal.at), own ? "; another approver must approve it." : "."),
		preview(() => proposal, assigned, context),
		may && element("p", { class: "actions" },
			!own && deciding("Approve it", "Do what was proposed?", () => post(path`/v1/proposals/${proposal.id}/approve`), context),
			deciding(own ? "Withdraw it" : "Reject it", "Forget what was proposed?", () => remove(path`/v1/proposals/${proposal.id}`), context)));
}

function field(id, words, input) {
	input.id = id;
	return element("div", {}, element("label", { for: id }, words), input);
}

function beginForm(policies, me, assigned, context) {
	const policy = element("select", {}, [...policies.keys()].map((name) => element("option", { value: name }, name)));
	const version = element("select");
	const label = element("input", { type: "text", maxlength: 64 });
	const percent = element("input", { type: "number", min: 1, max: 100, value: 10, required: true });
	const halt = element("input", { type: "number", min: 0, max: 100, value: HALT_DEFAULT, required: true });
	const fill = () => version.replaceChildren(...policies.get(policy.value).map((v) => element("option", { value: v }, v)));
	const chosen = () => ({ policy: policy.value, version: Number(version.value), label: label.value });
	const done = element("p", { id: "rollout-done", role: "status" });

	policy.addEventListener("change", fill);
	fill();
	const act = async () => {
		const answer = await post("/v1/rollouts", { ...chosen(), percent: Number(percent.value), halt_percent: Number(halt.value) });
		done.textContent = answer.type === "proposed" ? `It is proposal ${answer.proposal}: another approver must approve it.` : "It is so from now on.";
	};
	return element("form", { class: "begin", submit: (event) => event.preventDefault() },
		element("div", { class: "filters" }, field("rollout-policy", "Policy", policy), field("rollout-version", "version", version),
			field("rollout-label", "devices with the label (empty: all others)", label),
			field("rollout-percent", "share in percent", percent), field("rollout-halt", "halt above percent", halt)),
		preview(chosen, assigned, context),
		me.role === "approver" ?
			element("p", { class: "actions" }, deciding(me.two_persons ? "Propose it" : "Roll it out", "Judge that share of them by it?", act, context)) :
			element("p", { class: "faint" }, "To roll it out is for approvers."),
		done);
}

function assignedVersion(assignments) {
	const of = new Map(assignments.map((a) => [a.label, a]));
	return ({ label }) => of.get(label) ?? of.get("") ?? null;
}

// Nothing is drawn anew under who is about to use it, or where nobody looks.
function inUse(place) {
	return document.hidden || place.contains(document.activeElement) || place.querySelector(".preview > *") !== null;
}

let turn = 0; // what was asked last counts

async function draw(place, context, unasked = false) {
	const { signal } = context;
	const mine = unasked ? turn : ++turn;
	const [me, { rollouts }, { proposals }, { assignments }] = await Promise.all([
		get("/v1/me", {}, signal), get("/v1/rollouts", {}, signal), get("/v1/proposals", {}, signal), get("/v1/assignments", {}, signal),
	]);
	const assigned = assignedVersion(assignments);

	if (mine !== turn || (unasked && inUse(place)))
		return { me, assigned };
	place.replaceChildren(
		rollouts.length === 0 ? element("p", { class: "faint" }, "None is under way.") :
			element("ul", { class: "plain" }, rollouts.map((rollout) => rolloutCard(rollout, me, assigned, context))),
		element("h2", {}, "Proposals"),
		proposals.length === 0 ? element("p", { class: "faint" }, me.two_persons ? "Nothing waits for a second person." : "One person decides here (--two-persons is not set).") :
			element("ul", { class: "plain" }, proposals.map((proposal) => proposalCard(proposal, me, assigned, context))),
		element("h2", {}, "Assigned"),
		assignments.length === 0 ? element("p", {}, "No policy is assigned: no device can be trusted.") :
			table("Which devices are judged by which policy", ["devices with the label", "policy", "version"],
				assignments.map((a) => [a.label === "" ? "any other" : a.label, a.policy, number(a.version)])));
	return { me, assigned };
}

export async function showRollouts(place, { signal, tell }) {
	const present = element("div", { id: "rollouts" }), form = element("div");
	const context = { signal, tell, again: async () => { await draw(present, context); } };
	const { references } = await get("/v1/references", {}, signal);
	const policies = new Map();

	for (const reference of references.filter((r) => r.kind === "policy"))
		policies.set(reference.name, [...(policies.get(reference.name) ?? []), reference.version]);
	place.append(element("h1", {}, "Roll-outs"), present, element("h2", {}, "A new one"), form);
	const { me, assigned } = await draw(present, context);
	form.append(policies.size === 0 ? element("p", { class: "faint" }, "No policy was uploaded yet.") : beginForm(policies, me, assigned, context));
	const timer = setInterval(() => {
		if (!inUse(present))
			draw(present, context, true).catch(tell);
	}, AGAIN_MS);
	signal.addEventListener("abort", () => clearInterval(timer));
}
