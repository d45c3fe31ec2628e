// Independent check of a Salesforce simulator with jsforce, a client that we did not write: conformance.md section 6.
//
//   SIM_URL=http://127.0.0.1:PORT JSFORCE=jsforce-a node conformance.mjs
//
// It needs the simulator's seed "conformance", changes its data, and uses nothing below /__sim/. Unset all proxy
// variables. CID and SEC are of the app, RT is a refresh token, API is a version. Last line: how many of how many passed.
import assert from 'node:assert/strict';
const { default: jsforce } = await import(process.env.JSFORCE ?? 'jsforce-a');
const { SIM_URL: B, CID = 'CID', SEC = 'SEC', RT = 'RT', API: V = '66.0' } = process.env;
const app = { loginUrl: B, clientId: CID, clientSecret: SEC },
  tests = [],
  T = (id, f) => tests.push([id, f]);
const connect = (o = {}) => new jsforce.Connection({ loginUrl: B, version: V, oauth2: app, ...o });
const fails = async (p, code) => {
  let e;
  try {
    await p;
  } catch (x) {
    e = x;
  }
  assert.ok(e, 'expected ' + code);
  assert.equal(e.errorCode ?? e.name, code);
  return e;
};
const c = connect(),
  Contact = () => c.sobject('Contact'),
  root = `/services/data/v${V}`;
const raw = (path, o = {}) => fetch(c.instanceUrl + path, { ...o, headers: { Authorization: 'Bearer ' + c.accessToken, ...o.headers } });
const one = async (q) => (await c.query(q)).records[0];
const all = (q, o) => c.query(q, { autoFetch: true, maxFetch: 1e6, ...o });
const csv = (t) => {
  const rows = [];
  let r = [''],
    q = false;
  for (let i = 0; i < t.length; i++) {
    const ch = t[i];
    if (q) {
      if (ch === '"') {
        if (t[i + 1] === '"') {
          r[r.length - 1] += '"';
          i++;
        } else q = false;
      } else r[r.length - 1] += ch;
    } else if (ch === '"') q = true;
    else if (ch === ',') r.push('');
    else if (ch === '\n') {
      rows.push(r);
      r = [''];
    } else if (ch !== '\r') r[r.length - 1] += ch;
  }
  return rows;
};
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/,
  lit = (s) => s.replace('+0000', 'Z');
let live, gone, ids;

T('J01 client credentials', async () => {
  const u = await c.authorize({ grant_type: 'client_credentials' });
  assert.ok(u.id.startsWith('005'));
  assert.ok(u.organizationId.startsWith('00D'));
  assert.ok(!c.instanceUrl.endsWith('/'));
});
T('J02 wrong secret: object body', async () => {
  await fails(connect({ oauth2: { ...app, clientSecret: 'no' } }).authorize({ grant_type: 'client_credentials' }), 'invalid_client');
});
T('J03 refresh once on 401, also when calls are parallel', async () => {
  let n = 0;
  const k = new jsforce.Connection({ instanceUrl: c.instanceUrl, accessToken: 'dead', refreshToken: RT, oauth2: app, version: V });
  k.on('refresh', () => n++);
  await Promise.all([k.query('SELECT Id FROM Contact LIMIT 1'), k.query('SELECT Id FROM Contact LIMIT 1'), k.limits()]);
  assert.equal(n, 1);
});
T('J04 401 without refresh token', async () => {
  await fails(
    new jsforce.Connection({ instanceUrl: c.instanceUrl, accessToken: 'dead', version: V }).query('SELECT Id FROM Contact LIMIT 1'),
    'INVALID_SESSION_ID',
  );
});
T('J05 dead refresh token', async () => {
  await fails(connect().oauth2.refreshToken('no'), 'invalid_grant');
});
T('J06 versions without token', async () => {
  const r = await fetch(c.instanceUrl + '/services/data');
  assert.equal(r.status, 200);
  assert.ok((await r.json()).some((x) => x.version === V && x.url === root));
});
T('J07 identity', async () => {
  const i = await c.identity();
  assert.ok(i.user_id && i.organization_id && i.username);
});
T('J08 describe global', async () => {
  const d = await c.describeGlobal();
  assert.equal(d.maxBatchSize, 200);
  const o = d.sobjects.find((x) => x.name === 'Contact');
  for (const k of ['createable', 'updateable', 'queryable', 'replicateable']) assert.equal(typeof o[k], 'boolean');
});
T('J09 describe object', async () => {
  const f = Object.fromEntries((await c.describe('Contact')).fields.map((x) => [x.name, x]));
  assert.equal(f.Id.type, 'id');
  assert.equal(f.SystemModstamp.type, 'datetime');
  assert.equal(f.SystemModstamp.updateable, false);
  assert.ok(f.LastName.length > 0);
  assert.deepEqual([f.Energy_Score__c.type, f.Energy_Score__c.updateable, f.Energy_Score__c.custom], ['double', true, true]);
  await fails(c.describe('Nope__c'), 'NOT_FOUND');
});
T('J10 paging', async () => {
  const q = 'SELECT Id, LastName, SystemModstamp FROM Contact ORDER BY SystemModstamp, Id';
  const p = await c.query(q, { headers: { 'Sforce-Query-Options': 'batchSize=200' } });
  assert.ok(p.records.length <= 200 && p.totalSize > 400 && p.done === false);
  const w = await (await raw(`${root}/query?q=${encodeURIComponent(q)}`, { headers: { 'Sforce-Query-Options': 'batchSize=200' } })).json();
  assert.match(w.nextRecordsUrl, /^\/services\/data\/v[\d.]+\/query\/01g\w{15}-\d+$/);
  assert.deepEqual(Object.keys(w), ['totalSize', 'done', 'nextRecordsUrl', 'records']);
  let n = p.records.length,
    last = p;
  const seen = new Set(p.records.map((r) => r.Id));
  while (!last.done) {
    last = await c.queryMore(last.nextRecordsUrl);
    n += last.records.length;
    last.records.forEach((r) => seen.add(r.Id));
    assert.equal(last.totalSize, p.totalSize);
  }
  assert.equal(last.nextRecordsUrl, undefined);
  assert.equal(n, p.totalSize);
  assert.equal(seen.size, n);
});
T('J11 row shape and stamp format', async () => {
  live = (await all('SELECT Id, Email, SystemModstamp FROM Contact ORDER BY SystemModstamp, Id')).records;
  for (const r of live) {
    assert.equal(Object.keys(r)[0], 'attributes');
    assert.match(r.attributes.url, new RegExp(`^${root}/sobjects/Contact/003`));
    assert.match(r.SystemModstamp, STAMP);
    assert.equal(r.Id.length, 18);
    assert.ok('Email' in r);
  }
  ids = live.map((r) => r.Id);
  assert.ok(live.some((r) => r.Email === null));
});
T('J12 dead locator', async () => {
  await fails(c.queryMore(`${root}/query/01gxx0000000000AAA-2000`), 'INVALID_QUERY_LOCATOR');
});
T('J13 half-open windows add up', async () => {
  const a = lit(live[0].SystemModstamp),
    b = lit(live[live.length >> 1].SystemModstamp);
  const n = async (w) => (await c.query(`SELECT COUNT() FROM Contact WHERE ${w}`)).totalSize;
  assert.equal((await n(`SystemModstamp >= ${a} AND SystemModstamp < ${b}`)) + (await n(`SystemModstamp >= ${b}`)), live.length);
});
T('J14 keyset continues after a tie without loss', async () => {
  const i = live.findIndex(
    (r, k) => k > 0 && r.SystemModstamp === live[k - 1].SystemModstamp && r.SystemModstamp === live[k + 1]?.SystemModstamp,
  );
  assert.ok(i > 0, 'seed needs ties');
  const t = lit(live[i].SystemModstamp);
  const rest = await all(
    `SELECT Id FROM Contact WHERE (SystemModstamp = ${t} AND Id > '${live[i].Id}') OR SystemModstamp > ${t} ORDER BY SystemModstamp, Id`,
  );
  assert.deepEqual(
    rest.records.map((r) => r.Id),
    ids.slice(i + 1),
  );
});
T('J15 literals and escapes', async () => {
  const r = await one("SELECT Id, LastName FROM Contact WHERE LastName = 'O\\'Neil \\\\ \\\"x\\\"'");
  assert.equal(r.LastName, 'O\'Neil \\ "x"');
});
T('J16 query errors', async () => {
  await fails(c.query('SELEC Id FROM Contact'), 'MALFORMED_QUERY');
  await fails(c.query('SELECT Nope__c FROM Contact'), 'INVALID_FIELD');
  await fails(c.query('SELECT Id FROM Nope__c'), 'INVALID_TYPE');
  await fails(c.query("SELECT Id FROM Contact WHERE LastName = 'x"), 'MALFORMED_QUERY');
});
T('J17 deleted rows only through queryAll', async () => {
  assert.equal((await c.query('SELECT Id FROM Contact WHERE IsDeleted = true')).totalSize, 0);
  gone = (await c.query('SELECT Id, SystemModstamp FROM Contact WHERE IsDeleted = true', { scanAll: true })).records;
  assert.ok(gone.length > 0);
});
T('J18 updated and deleted feeds', async () => {
  const s = new Date(Date.parse(lit(live[0].SystemModstamp)) - 120e3),
    e = new Date(Date.parse(lit(live.at(-1).SystemModstamp)) + 120e3);
  const u = await Contact().updated(s, e);
  assert.ok(u.ids.includes(ids[0]));
  assert.match(u.latestDateCovered, STAMP);
  const d = await Contact().deleted(s, e);
  assert.ok(d.deletedRecords.some((x) => x.id === gone[0].Id));
  assert.ok(d.earliestDateAvailable);
});
T('J19 collection update, mixed results by position', async () => {
  const r = await Contact().update(
    [
      { Id: ids[0], Energy_Score__c: 0.25 },
      { Id: gone[0].Id, Energy_Score__c: 1 },
      { Id: ids[1], LastName: 'x'.repeat(300) },
      { Id: ids[2], Energy_Score__c: 0.75 },
    ],
    { allOrNone: false },
  );
  assert.deepEqual(
    r.map((x) => x.success),
    [true, false, false, true],
  );
  assert.equal(r[0].id, ids[0]);
  assert.equal(r[1].errors[0].statusCode, 'ENTITY_IS_DELETED');
  assert.equal(r[2].errors[0].statusCode, 'STRING_TOO_LONG');
  assert.deepEqual(r[2].errors[0].fields, ['LastName']);
  assert.equal((await one(`SELECT Energy_Score__c FROM Contact WHERE Id = '${ids[2]}'`)).Energy_Score__c, 0.75);
});
T('J20 all or none rolls back', async () => {
  const r = await Contact().update(
    [
      { Id: ids[0], Energy_Score__c: 0.99 },
      { Id: ids[1], LastName: 'x'.repeat(300) },
    ],
    { allOrNone: true },
  );
  assert.ok(r.every((x) => !x.success));
  assert.equal(r[0].errors[0].statusCode, 'ALL_OR_NONE_OPERATION_ROLLED_BACK');
  assert.equal(r[1].errors[0].statusCode, 'STRING_TOO_LONG');
  assert.equal((await one(`SELECT Energy_Score__c FROM Contact WHERE Id = '${ids[0]}'`)).Energy_Score__c, 0.25);
});
T('J21 201 rows refused as a whole', async () => {
  await fails(Contact().update(ids.slice(0, 201).map((Id) => ({ Id, Energy_Score__c: 9 }))), 'EXCEEDED_ID_LIMIT');
  assert.notEqual((await one(`SELECT Energy_Score__c FROM Contact WHERE Id = '${ids[5]}'`)).Energy_Score__c, 9);
});
T('J22 200 rows accepted, stamps move, ties appear', async () => {
  const r = await Contact().update(
    ids.slice(0, 200).map((Id) => ({ Id, Energy_Score__c: 0.5 })),
    { allOrNone: false },
  );
  assert.ok(r.every((x) => x.success));
  const n = await one(`SELECT SystemModstamp, LastModifiedById FROM Contact WHERE Id = '${ids[0]}'`);
  assert.ok(n.SystemModstamp > live[0].SystemModstamp);
  assert.equal(n.LastModifiedById, c.userInfo.id);
});
T('J23 null clears, absence keeps', async () => {
  await Contact().update([
    { Id: ids[3], Energy_Score__c: null },
    { Id: ids[4], LastName: 'Kept' },
  ]);
  assert.equal((await one(`SELECT Energy_Score__c FROM Contact WHERE Id = '${ids[3]}'`)).Energy_Score__c, null);
  assert.equal((await one(`SELECT Energy_Score__c FROM Contact WHERE Id = '${ids[4]}'`)).Energy_Score__c, 0.5);
});
T('J24 upsert by external id', async () => {
  const k = 'NEW' + Date.now();
  const r = await Contact().upsert(
    [
      { Ext__c: 'E1', Energy_Score__c: 0.1 },
      { Ext__c: k, LastName: 'New', Energy_Score__c: 0.2 },
    ],
    'Ext__c',
  );
  assert.deepEqual(
    r.map((x) => [x.success, x.created]),
    [
      [true, false],
      [true, true],
    ],
  );
});
T('J25 single update and its errors', async () => {
  const r = await Contact().update({ Id: ids[0], Energy_Score__c: 0.3 });
  assert.ok(r.success);
  const e = await fails(Contact().update({ Id: ids[0], LastName: 'x'.repeat(300) }), 'STRING_TOO_LONG');
  assert.ok(e.message.length > 0);
  await fails(Contact().update({ Id: gone[0].Id, Energy_Score__c: 1 }), 'ENTITY_IS_DELETED');
});
T('J26 retrieve many, null for missing', async () => {
  const r = await Contact().retrieve([ids[0], gone[0].Id], { fields: ['Id', 'LastName'] });
  assert.equal(r[0].Id, ids[0]);
  assert.equal(r[1], null);
});
T('J27 bulk ingest: states, three results, null and empty', async () => {
  const seen = [];
  const j = c.bulk2.createJob({ object: 'Contact', operation: 'update', lineEnding: 'LF' });
  await j.open();
  await j.uploadData(`Id,Energy_Score__c,Description\n${ids[10]},0.11,d\n${ids[11]},#N/A,\n${ids[12]},,e\n${gone[0].Id},0.5,\n`);
  await j.close();
  j.on('inProgress', (x) => seen.push(x.state));
  await j.poll(20, 60000);
  const i = await j.check();
  assert.equal(i.state, 'JobComplete');
  assert.deepEqual([i.numberRecordsProcessed, i.numberRecordsFailed], [4, 1]);
  const ok = await j.getSuccessfulResults(),
    ko = await j.getFailedResults(),
    un = await j.getUnprocessedRecords();
  assert.equal(ok.length, 3);
  assert.ok('sf__Id' in ok[0] && 'sf__Created' in ok[0]);
  assert.equal(ko.length, 1);
  assert.match(ko[0].sf__Error, /^ENTITY_IS_DELETED:/);
  assert.equal(un.length, 0);
  const v = async (k) => (await one(`SELECT Energy_Score__c FROM Contact WHERE Id = '${ids[k]}'`)).Energy_Score__c;
  assert.deepEqual([await v(10), await v(11), await v(12)], [0.11, null, 0.5]);
  await j.delete();
});
T('J28 bulk ingest: unknown column fails the job', async () => {
  const j = c.bulk2.createJob({ object: 'Contact', operation: 'update' });
  await j.open();
  await j.uploadData(`Id,Nope__c\n${ids[0]},1\n`);
  await j.close();
  await j.poll(20, 60000).catch(() => {});
  const i = await j.check().catch((e) => e);
  const info = await (await raw(`${root}/jobs/ingest/${j.id}`)).json();
  assert.equal(info.state, 'Failed');
  assert.match(info.errorMessage, /InvalidBatch : Field name not found/);
});
T('J29 bulk query, one page', async () => {
  const s = await c.bulk2.query('SELECT Id, LastName FROM Contact LIMIT 5', { pollInterval: 20, pollTimeout: 60000 });
  const r = await s.toArray();
  assert.equal(r.length, 5);
  assert.deepEqual(Object.keys(r[0]), ['Id', 'LastName']);
});
T('J30 bulk query, pages (raw)', async () => {
  const post = await raw(`${root}/jobs/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ operation: 'query', query: 'SELECT Id, SystemModstamp FROM Contact' }),
  });
  assert.equal(post.status, 200);
  const { id } = await post.json();
  const early = await raw(`${root}/jobs/query/${id}/results`);
  if (early.status !== 200) assert.equal((await early.json())[0].errorCode, 'JOB_NOT_COMPLETE');
  let info;
  do {
    info = await (await raw(`${root}/jobs/query/${id}`)).json();
  } while (info.state !== 'JobComplete' && info.state !== 'Failed');
  assert.equal(info.state, 'JobComplete');
  let loc = '',
    n = 0,
    pages = 0;
  const seen = new Set();
  do {
    const r = await raw(`${root}/jobs/query/${id}/results?maxRecords=500${loc && '&locator=' + loc}`);
    assert.match(r.headers.get('content-type'), /^text\/csv/);
    const rows = csv(await r.text());
    assert.deepEqual(rows[0], ['Id', 'SystemModstamp'], 'header row on every page');
    assert.equal(rows.length - 1, Number(r.headers.get('sforce-numberofrecords')));
    rows.slice(1).forEach((x) => {
      seen.add(x[0]);
      assert.match(x[1], /\.000Z$/);
    });
    n += rows.length - 1;
    pages++;
    loc = r.headers.get('sforce-locator');
    assert.ok(loc);
  } while (loc !== 'null');
  assert.ok(pages > 2);
  assert.equal(n, info.numberRecordsProcessed);
  assert.equal(seen.size, n);
  const old = await raw(`/services/data/v${V === '65.0' ? '64.0' : '65.0'}/jobs/query/${id}/results`);
  assert.equal(old.status, 409);
  assert.equal((await raw(`${root}/jobs/query/${id}`, { method: 'DELETE' })).status, 204);
});
T('J31 custom field and field-level security', async () => {
  const n = `Probe${Date.now() % 1e6}__c`,
    has = async () => (await c.request({ method: 'GET', url: '/sobjects/Contact/describe' })).fields.find((f) => f.name === n);
  const mk = () =>
    c.tooling.sobject('CustomField').create({ FullName: 'Contact.' + n, Metadata: { type: 'Number', label: n, precision: 18, scale: 4 } });
  const r = await mk();
  assert.ok(r.success && r.id.startsWith('00N'));
  assert.equal(await has(), undefined, 'hidden until granted');
  await fails(c.query(`SELECT ${n} FROM Contact LIMIT 1`), 'INVALID_FIELD');
  const ps = await one('SELECT Id FROM PermissionSet LIMIT 1');
  await c
    .sobject('FieldPermissions')
    .create({ ParentId: ps.Id, SobjectType: 'Contact', Field: 'Contact.' + n, PermissionsRead: true, PermissionsEdit: true });
  const f = await has();
  assert.deepEqual([f.type, f.precision, f.scale, f.updateable], ['double', 18, 4, true]);
  await fails(mk(), 'DUPLICATE_DEVELOPER_NAME');
});
T('J32 limits', async () => {
  const l = await c.limits();
  assert.ok(l.DailyApiRequests.Max >= l.DailyApiRequests.Remaining);
  const a = c.limitInfo.apiUsage.used;
  await c.query('SELECT Id FROM Contact LIMIT 1');
  assert.ok(c.limitInfo.apiUsage.used >= a);
  const r = await raw(`${root}/limits`);
  assert.match(r.headers.get('sforce-limit-info'), /api-usage=\d+\/\d+/);
});
T('J33 composite batch', async () => {
  const r = await c.requestPost('/composite/batch', {
    batchRequests: [
      { method: 'GET', url: `v${V}/sobjects/Contact/describe` },
      { method: 'GET', url: `v${V}/sobjects/Nope__c/describe` },
    ],
  });
  assert.equal(r.hasErrors, true);
  assert.deepEqual(
    r.results.map((x) => x.statusCode),
    [200, 404],
  );
  assert.equal(r.results[1].result[0].errorCode, 'NOT_FOUND');
});

let bad = 0;
for (const [id, f] of tests) {
  try {
    await f();
    console.log('ok  ', id);
  } catch (e) {
    bad++;
    console.log('FAIL', id, '-', String(e.message).split('\n').slice(0, 6).join(' '));
  }
}
console.log(`${tests.length - bad}/${tests.length}`);
process.exit(bad ? 1 : 0);
