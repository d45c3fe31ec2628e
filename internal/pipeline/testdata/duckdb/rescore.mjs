// node rescore.mjs events.csv as-of: writes events.csv's activities to a Parquet file beside it, scores them in
// SQL, and prints what each step took and what came out, as JSON.
import { DuckDBInstance } from '@duckdb/node-api';
import { readFileSync, rmSync } from 'node:fs';

const [events, asOf] = process.argv.slice(2);
const sql = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');
const quoted = (text) => `'${text.replaceAll("'", "''")}'`;
const file = events.replace(/csv$/, 'parquet');

const prepare = await (await DuckDBInstance.create()).connect();
await prepare.run(`SET VARIABLE events = ${quoted(events)}`);
await prepare.run(`COPY (${sql('activities.sql')}) TO ${quoted(file)} (FORMAT parquet)`);
prepare.closeSync();

const db = await (await DuckDBInstance.create()).connect();
await db.run(`SET VARIABLE as_of = DATE ${quoted(asOf)}`);
await db.run(`CREATE VIEW activities AS SELECT * FROM ${quoted(file)}`);
const seconds = {};
const cpu = process.cpuUsage(), began = performance.now();
for (const step of sql('rescore.sql').split(/^-- (?=\w+$)/m)) {
	const name = step.match(/^\w+$/m)?.[0] ?? 'begin';
	const from = performance.now();
	await db.run(step.startsWith(name) ? step.slice(name.length) : step);
	seconds[name] = (performance.now() - from) / 1000;
}
const total = (performance.now() - began) / 1000, used = process.cpuUsage(cpu);
const rows = async (query) => (await db.runAndReadAll(query)).getRowObjectsJson();
console.log(JSON.stringify({
	seconds: total, cpu: (used.user + used.system) / 1e6, steps: seconds, peakMB: process.resourceUsage().maxRSS / 1024,
	temperatures: await rows('SELECT kind, count(*)::INTEGER AS entities, sum(points) AS points FROM temperature GROUP BY kind'),
	alarms: await rows('SELECT alarm, count(*)::INTEGER AS entities FROM alarm GROUP BY alarm'),
}));
rmSync(file);
