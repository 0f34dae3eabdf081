// Writes src/cluster/data/openapi-documents.generated.ts: what a real kube-apiserver answers under /openapi, descriptions
// included (texts of the Kubernetes authors, Apache-2.0), packed so that each document can be put together without parsing it.
//   kubectl proxy --port 8001 &
//   node tools/generate-openapi-data.mjs http://127.0.0.1:8001
// Two definitions of the group placeholder.weir.dev are made for the time of the run: from what the server publishes about
// them come the paths of custom resources.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, constants } from 'node:zlib';

const [base] = process.argv.slice(2);
if (base === undefined) {
  process.stderr.write('usage: node tools/generate-openapi-data.mjs URL-OF-KUBECTL-PROXY\n');
  process.exit(1);
}

const GROUP = 'placeholder.weir.dev';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

async function text(path, init = {}) {
  const response = await fetch(base + path, init);
  if (!response.ok && !(init.method === 'DELETE' && response.status === 404))
    throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.text();
}
const json = async (path) => JSON.parse(await text(path));

/** As Go writes JSON; the documents of v2 leave out the escapes. */
const goJson = (value) =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
const texts = (map, write) => Object.fromEntries(Object.entries(map).map(([key, value]) => [key, write(value)]));
const same = (what, made, original) => {
  if (made !== original) throw new Error(`${what}: put together again, it is not what the server wrote`);
};

const schemas = {};
const documents = {};
for (const [name, { serverRelativeURL }] of Object.entries((await json('/openapi/v3')).paths)) {
  if (name.includes(GROUP)) continue;
  const original = await text(serverRelativeURL);
  const { openapi, info, paths, components, ...rest } = JSON.parse(original);
  Object.assign(schemas, texts(components.schemas ?? {}, goJson));
  const entry = { paths: goJson(paths), schemas: Object.keys(components.schemas ?? {}) };
  documents[name] = entry;
  const parts = entry.schemas.map((key) => `${JSON.stringify(key)}:${schemas[key]}`);
  same(
    name,
    `{"openapi":"3.0.0","info":{"title":"Kubernetes","version":"1.34"},"paths":${entry.paths},"components":{${parts.length === 0 ? '' : `"schemas":{${parts.join(',')}},`}"securitySchemes":{"BearerToken":{"type":"apiKey","description":"Bearer Token authentication","name":"authorization","in":"header"}}}}`,
    original,
  );
  if (openapi !== '3.0.0' || info.title !== 'Kubernetes' || Object.keys(rest).length > 0) throw new Error(name);
}

const original = await text('/openapi/v2');
const { swagger, info, paths, definitions, ...tail } = JSON.parse(original);
const v2 = {
  head: JSON.stringify({ swagger, info }).slice(0, -1),
  paths: texts(paths, JSON.stringify),
  definitions: texts(definitions, JSON.stringify),
  tail: JSON.stringify(tail).slice(1),
};
const object = (map) =>
  `{${Object.entries(map)
    .map(([key, value]) => `${JSON.stringify(key)}:${value}`)
    .join(',')}}`;
same('v2', `${v2.head},"paths":${object(v2.paths)},"definitions":${object(v2.definitions)},${v2.tail}`, original);

function definition(scope, kind) {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } };
  const subresources = {
    status: {},
    scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.toLowerCase()}plural.${GROUP}` },
    spec: {
      group: GROUP,
      scope,
      names: { kind, plural: `${kind.toLowerCase()}plural`, singular: kind.toLowerCase(), listKind: `${kind}Many` },
      versions: [{ name: 'v9', served: true, storage: true, schema, subresources }],
    },
  };
}

const KINDS = { Namespaced: 'Namespacedkind', Cluster: 'Clusterkind' };

/** The paths of one kind with `@name@` where its names stood. */
function template(all, kind) {
  const plural = `${kind.toLowerCase()}plural`;
  const own = Object.entries(all).filter(([path]) => new RegExp(`/${plural}(/|$)`).test(path));
  return Object.fromEntries(own.map(([path, value]) => [mark(path), mark(goJson(value))]));
  function mark(written) {
    return written
      .replaceAll('dev.weir.placeholder.v9.', '@package@.')
      .replaceAll(`${kind}Many`, '@listKind@')
      .replaceAll('placeholderWeirDev_v9', '@tag@')
      .replaceAll('PlaceholderWeirDevV9', '@operation@')
      .replaceAll(`a ${kind}`, '@article@@kind@')
      .replaceAll(kind, '@kind@')
      .replaceAll(plural, '@plural@')
      .replaceAll(`/${GROUP}/v9/`, '/@group@/@version@/')
      .replaceAll(`"${GROUP}"`, '"@group@"')
      .replaceAll('"v9"', '"@version@"');
  }
}

const custom = { schemas: {} };
try {
  for (const [scope, kind] of Object.entries(KINDS))
    await text(CRDS, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(definition(scope, kind)),
    });
  let v3 = { paths: {} };
  let v2Paths = {};
  while (
    Object.values(KINDS).some((kind) =>
      [v3.paths, v2Paths].some((found) => !Object.keys(found).some((path) => path.includes(kind.toLowerCase()))),
    )
  ) {
    await sleep(1000);
    v2Paths = (await json('/openapi/v2')).paths;
    if ((await json('/openapi/v3')).paths[`apis/${GROUP}/v9`] !== undefined)
      v3 = await json(`/openapi/v3/apis/${GROUP}/v9`);
  }
  for (const [scope, kind] of Object.entries(KINDS))
    custom[scope] = { v3: template(v3.paths, kind), v2: template(v2Paths, kind) };
  // The server of custom resources knows fewer groups, and says so in DeleteOptions.
  for (const [name, schema] of Object.entries(v3.components.schemas))
    if (schemas[name] !== undefined && schemas[name] !== goJson(schema)) custom.schemas[name] = goJson(schema);
} finally {
  for (const kind of Object.values(KINDS))
    await text(`${CRDS}/${kind.toLowerCase()}plural.${GROUP}`, { method: 'DELETE' });
}
if (goJson(custom).includes('placeholder') || goJson(custom).includes('v9')) throw new Error('a name was not replaced');

const packed = brotliCompressSync(Buffer.from(goJson({ schemas, documents, v2, custom })), {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
});
writeFileSync(
  join(import.meta.dirname, '..', 'src', 'cluster', 'data', 'openapi-documents.generated.ts'),
  `// Generated by tools/generate-openapi-data.mjs from kube-apiserver v1.34.1; descriptions by the Kubernetes authors, Apache-2.0. Do not edit.\nexport const OPENAPI_DOCUMENTS: string =\n  '${packed.toString('base64')}';\n`,
);
process.stdout.write(`${packed.length} bytes packed, ${Object.keys(schemas).length} schemas\n`);
