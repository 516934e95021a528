// Are these manifests what Kubernetes takes?  node chart.js MODULES <MANIFESTS
//
// Built-in kinds are held against kubernetes-models' schemas.  Those let pass
// what they do not know, so each object is wrapped to see which of its keys the
// schema's code has asked for: a key that nobody asked for is misspelled, or
// stands where it does not belong.  Kinds of others (cert-manager, Prometheus)
// are counted, not validated.
'use strict';
const path = require('path');
const modules = process.argv[2];
const load = name => require(path.join(modules, name));
const { parseAllDocuments } = load('yaml');

function watched(value, seen, at) {
	if (value === null || typeof value !== 'object')
		return value;
	return new Proxy(value, {
		get(target, key) {
			const child = target[key];
			if (typeof key !== 'string' || !Object.hasOwn(target, key))
				return child;
			seen.add(`${at}.${key}`);
			return watched(child, seen, `${at}.${key}`);
		},
	});
}

function unseen(value, seen, at, found) {
	if (value === null || typeof value !== 'object')
		return;
	for (const key of Object.keys(value)) {
		const here = `${at}.${key}`;
		if (seen.has(here))
			unseen(value[key], seen, here, found);
		else
			found.push(here);
	}
}

function validate(o) {
	const models = load(`kubernetes-models/${o.apiVersion}`);
	const { validate: check } = load('kubernetes-models/_schemas/' +
		`${schemaName(o)}.js`);
	const seen = new Set();
	const whole = watched(o, seen, o.kind);
	if (!models[o.kind])
		throw new Error(`${o.apiVersion} has no ${o.kind}`);
	new models[o.kind](o).validate();
	if (!check(whole))
		throw new Error(JSON.stringify(check.errors));
	const found = [];
	unseen(o, seen, o.kind, found);
	if (found.length)
		throw new Error(`unknown: ${found.join(' ')}`);
}

function schemaName(o) {
	const [group, version] = o.apiVersion.includes('/') ?
		o.apiVersion.split('/') : ['core', o.apiVersion];
	const capital = s => s[0].toUpperCase() + s.slice(1);
	return 'IoK8sApi' + capital(group.split('.')[0]) + capital(version) +
		o.kind;
}

let bad = 0, good = 0;
const others = [], names = new Set();
const text = require('fs').readFileSync(0, 'utf8');
for (const document of parseAllDocuments(text)) {
	const o = document.toJS();
	if (o === null)
		continue;
	const name = `${o.kind}/${o.metadata.name}`;
	try {
		if (document.errors.length)
			throw document.errors[0];
		if (names.has(name))
			throw new Error('is there twice');
		names.add(name);
		if (/\.(io|com)\//.test(o.apiVersion) &&
		    !/k8s\.io\//.test(o.apiVersion)) {
			others.push(o.kind);
			continue;
		}
		validate(o);
		good++;
	} catch (e) {
		console.log(`${name}: ${e.message}`);
		bad++;
	}
}
console.log(`${good} valid, ${bad} not` +
	(others.length ? `; not looked at: ${others.join(' ')}` : ''));
process.exit(bad || !good ? 1 : 0);
