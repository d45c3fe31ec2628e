// What jsforce does with an org's set-up, beyond conformance.md section 6: tooling queries, metadata by SOAP and by
// REST, sign-on by password. Environment as of conformance.mjs, and ZIP: a package in metadata format that brings
// Account.Deployed__c and the permission set Deployed. Last line: how many of how many passed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
const { default: jsforce } = await import(process.env.JSFORCE ?? 'jsforce-a');
const {
  SIM_URL: loginUrl,
  CID: clientId = 'CID',
  SEC: clientSecret = 'SEC',
  USERNAME: user,
  PASSWORD: password,
  API: version = '66.0',
} = process.env;
const connection = (o) => new jsforce.Connection({ loginUrl, version, ...o });
const c = connection({ oauth2: { loginUrl, clientId, clientSecret } });
await c.authorize({ grant_type: 'client_credentials' });
const tests = [];
const test = (name, f) => tests.push([name, f]);
const number = (fullName) => ({ fullName, label: 'Energy', type: 'Number', precision: 18, scale: 4 });
const plain = (x) => JSON.parse(JSON.stringify(x));

test('tooling query, describe, read and update (S114)', async () => {
  const made = await c.tooling
    .sobject('CustomField')
    .create({ FullName: 'Account.Tooled__c', Metadata: { ...number(), fullName: undefined } });
  const found = await c.tooling.query(
    "SELECT Id, DeveloperName, TableEnumOrId, FullName FROM CustomField WHERE DeveloperName = 'Tooled' AND TableEnumOrId = 'Account'",
  );
  assert.deepEqual(
    found.records.map((r) => [r.Id, r.FullName]),
    [[made.id, 'Account.Tooled__c']],
  );
  assert.ok((await c.tooling.sobject('CustomField').describe()).fields.some((f) => f.name === 'Metadata'));
  const changed = await c.tooling
    .sobject('CustomField')
    .update({ Id: made.id, Metadata: { label: 'New', type: 'Number', precision: 18, scale: 4 } });
  assert.ok(changed.success);
  assert.equal((await c.tooling.sobject('CustomField').retrieve(made.id)).Metadata.label, 'New');
});
test('metadata create, read and upsert by SOAP (S116)', async () => {
  assert.deepEqual(plain(await c.metadata.create('CustomField', number('Account.Soap__c'))), {
    fullName: 'Account.Soap__c',
    success: true,
    errors: [],
  });
  const again = await c.metadata.create('CustomField', [number('Account.Soap__c'), number('Account.Soap2__c')]);
  assert.deepEqual(
    again.map((r) => [r.success, r.errors[0]?.statusCode]),
    [
      [false, 'DUPLICATE_DEVELOPER_NAME'],
      [true, undefined],
    ],
  );
  const read = await c.metadata.read('CustomField', 'Account.Soap__c');
  assert.deepEqual([read.fullName, read.type, read.precision, read.scale], ['Account.Soap__c', 'Number', 18, 4]);
  const set = { fullName: 'Soaped', label: 'Soaped', fieldPermissions: [{ field: 'Account.Soap__c', readable: true, editable: true }] };
  assert.equal((await c.metadata.upsert('PermissionSet', set)).created, true);
  assert.equal((await c.metadata.upsert('PermissionSet', set)).created, false);
});
test('deploy by REST (S116)', async () => {
  const sent = await c.metadata.deployRest(fs.readFileSync(process.env.ZIP), { checkOnly: false });
  let status;
  do status = await c.metadata.checkDeployStatus(sent.id, true, true);
  while (!status.done);
  assert.deepEqual([status.success, status.status, status.details.componentFailures], [true, 'Succeeded', []]);
  const grants = await c.query("SELECT Field FROM FieldPermissions WHERE Parent.Name = 'Deployed'");
  assert.deepEqual(
    grants.records.map((r) => r.Field),
    ['Account.Deployed__c'],
  );
});
test('sign-on by password and by SOAP (S24)', async () => {
  for (const o of [{ oauth2: { loginUrl, clientId, clientSecret } }, {}]) {
    const k = connection(o);
    assert.ok((await k.login(user, password)).id.startsWith('005'));
    assert.equal((await k.query('SELECT COUNT() FROM Nope__c').catch((e) => e)).errorCode, 'INVALID_TYPE');
  }
});
test('composite with references (S81)', async () => {
  const r = await c.requestPost('/composite', {
    allOrNone: true,
    compositeRequest: [
      { method: 'POST', url: `/services/data/v${version}/sobjects/Account`, referenceId: 'a', body: { Name: 'Composite' } },
      {
        method: 'POST',
        url: `/services/data/v${version}/sobjects/Contact`,
        referenceId: 'b',
        body: { LastName: 'x', AccountId: '@{a.id}' },
      },
    ],
  });
  assert.deepEqual(
    r.compositeResponse.map((x) => x.httpStatusCode),
    [201, 201],
  );
  const contact = await c.sobject('Contact').retrieve(r.compositeResponse[1].body.id);
  assert.equal(contact.AccountId, r.compositeResponse[0].body.id);
});
test('bulk jobs aborted and deleted (S96)', async () => {
  const job = c.bulk2.createJob({ object: 'Contact', operation: 'update' });
  await job.open();
  await job.abort();
  assert.equal((await job.check()).state, 'Aborted');
  await job.delete();
});

let bad = 0;
for (const [name, f] of tests) {
  try {
    await f();
    console.log('ok  ', name);
  } catch (e) {
    bad++;
    console.log('FAIL', name, '-', String(e.stack).split('\n').slice(0, 8).join(' '));
  }
}
console.log(`${tests.length - bad}/${tests.length}`);
process.exit(bad ? 1 : 0);
