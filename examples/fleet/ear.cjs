#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// As ear.py, with jose (Debian's node-jose, in NODE_PATH=/usr/share/nodejs; or that of npm):
// ear.cjs URL DEVICE, with the token that may look in $FLEET_TOKEN, and the CA in $NODE_EXTRA_CA_CERTS.
const jose = require('jose');

const OLDEST = 3600; // seconds since the device was judged
const [url, device] = process.argv.slice(2);

async function get(path) {
	const answer = await fetch(new URL(path, url), {headers: {Authorization: `Bearer ${process.env.FLEET_TOKEN}`}});
	if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status}`);
	return answer.text();
}

async function main() {
	const token = await get(`/v1/devices/${encodeURIComponent(device)}/ear`);
	const keys = jose.createLocalJWKSet(JSON.parse(await get('/.well-known/jwks.json')));
	const {payload} = await jose.jwtVerify(token, keys, {algorithms: ['ES256'], maxTokenAge: OLDEST});
	const result = payload.submods.assay;
	if (result.assay_verdict.device !== device) throw new Error('the result is of another device');
	console.log(`${device}: ${result['ear.status']} by ${result['ear.appraisal-policy-id']}`);
	return result['ear.status'] === 'affirming' ? 0 : 1;
}

main().then((status) => process.exit(status), (error) => {
	console.error(`${device}: no result that holds: ${error.message}`);
	process.exit(1);
});
