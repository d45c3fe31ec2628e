// Checks a package in SFDX source format with the library that Salesforce's own command line uses.
//
//   node internal/crmsim/conformance/check-package.mjs DIR
//
// (from Go: conformance.CheckPackage). DIR holds sfdx-project.json and manifest/package.xml. Each file below the
// package directories must be well-formed and belong to a component; the components must be those of the manifest;
// and all of it must convert to the metadata format. Nothing is sent anywhere and DIR is left as it is.
//
// Prints {"ok","components":[{"type","fullName","files"}],"problems":[..],"converted":[..]} and ends with 1 when
// there are problems, with 2 when it could not check at all. `./scripts/node` installs what it needs.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

process.env.SF_DISABLE_TELEMETRY = 'true';
process.env.SF_DISABLE_LOG_FILE = 'true';
const { XMLValidator } = await import('fast-xml-parser');
const { ComponentSet, MetadataConverter, MetadataResolver } = await import('@salesforce/source-deploy-retrieve');

const dir = path.resolve(process.argv[2] ?? '.');
const problems = [];
const attempt = async (what, f) => {
  try {
    return await f();
  } catch (e) {
    problems.push(`${what}: ${e.message}`);
  }
};
const filesBelow = (folder) =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => path.join(e.parentPath ?? e.path, e.name))
    .sort();
const shown = (file) => path.relative(dir, file).split(path.sep).join('/');
const key = (c) => `${c.type} ${c.fullName}`;

const project = JSON.parse(fs.readFileSync(path.join(dir, 'sfdx-project.json'), 'utf8'));
const folders = project.packageDirectories.map((p) => path.join(dir, p.path));
const manifest = path.join(dir, 'manifest', 'package.xml');
if (!/^\d+\.0$/.test(project.sourceApiVersion ?? '')) problems.push('sfdx-project.json: sourceApiVersion is missing');

const files = folders.flatMap(filesBelow);
for (const file of [...files, manifest]) {
  if (!file.endsWith('.xml')) continue;
  const valid = XMLValidator.validate(fs.readFileSync(file, 'utf8'));
  if (valid !== true) problems.push(`${shown(file)}: line ${valid.err.line}: ${valid.err.msg}`);
}

// A file that the library cannot place is an error in some folders and passed over in others: each is asked for by itself.
const resolver = new MetadataResolver();
const owned = new Set();
const components = new Map();
for (const file of files) {
  const found = (await attempt(shown(file), () => resolver.getComponentsFromPath(file))) ?? [];
  for (const c of found) {
    const content = c.content ? c.walkContent() : [];
    const of = { type: c.type.name, fullName: c.fullName, files: [c.xml, ...content].filter(Boolean) };
    const known = components.get(key(of)) ?? of;
    known.files = [...new Set([...known.files, ...of.files])].sort();
    components.set(key(of), known);
    known.files.forEach((f) => owned.add(f));
  }
}
for (const file of files) {
  if (!owned.has(file) && !problems.some((p) => p.startsWith(shown(file) + ':'))) problems.push(`${shown(file)}: belongs to no component`);
}

// What an object's own folder is called counts as a component only when it has a definition of its own.
const given = new Set();
const set = await attempt('resolve', () => ComponentSet.fromSource({ fsPaths: folders }));
for (const c of set ? set.getSourceComponents() : []) {
  given.add(key({ type: c.type.name, fullName: c.fullName }));
  c.getChildren().forEach((child) => given.add(key({ type: child.type.name, fullName: child.fullName })));
}
for (const name of components.keys()) {
  if (!given.has(name)) problems.push(`${name}: is found by its file but not in the package as a whole`);
}

const wanted = await attempt('manifest/package.xml', () => ComponentSet.fromManifest({ manifestPath: manifest }));
if (wanted) {
  const listed = new Set(wanted.toArray().map((c) => key({ type: c.type.name ?? c.type, fullName: c.fullName })));
  for (const name of listed)
    if (!components.has(name)) problems.push(`manifest/package.xml: lists ${name}, which the package does not hold`);
  for (const name of components.keys()) if (!listed.has(name)) problems.push(`manifest/package.xml: does not list ${name}`);
  if (wanted.sourceApiVersion && wanted.sourceApiVersion !== project.sourceApiVersion)
    problems.push(`manifest/package.xml: version ${wanted.sourceApiVersion}, but sfdx-project.json says ${project.sourceApiVersion}`);
}

let converted = [];
if (set && problems.length === 0) {
  const out = fs.mkdtempSync(path.join(os.tmpdir(), 'sfdx-'));
  await attempt('convert', async () => {
    const to = process.argv[3] ? path.resolve(process.argv[3]) : out;
    await new MetadataConverter().convert(set, 'metadata', { type: 'directory', outputDirectory: to, genUniqueDir: false });
    converted = filesBelow(to).map((f) => path.relative(to, f).split(path.sep).join('/'));
  });
  fs.rmSync(out, { recursive: true, force: true });
  for (const file of ['package.xml']) if (problems.length === 0 && !converted.includes(file)) problems.push(`convert: made no ${file}`);
}

const list = [...components.values()].map((c) => ({ ...c, files: c.files.map(shown) })).sort((a, b) => (key(a) < key(b) ? -1 : 1));
console.log(JSON.stringify({ ok: problems.length === 0, components: list, problems, converted }, null, 1));
process.exit(problems.length ? 1 : 0);
