import { parseDuration } from '../../base/duration.ts';
import type { HttpRequest } from '../../base/http.ts';
import type { Json } from '../../base/json.ts';
import { parseJson, stringAt, stringifyJson } from '../../base/json.ts';
import { err, type Result } from '../../base/result.ts';
import { KUBERNETES_VERSION } from '../data/builtins.ts';
import { snapshotRecords } from '../store/disk.ts';
import type { Discovery } from './discovery.ts';
import type { Kernel } from './kernel.ts';
import { negotiate } from './negotiation.ts';
import type { OpenApi } from './openapi.ts';
import type { Reply } from './reply.ts';
import { answer, failure, pageNotFound, text } from './reply.ts';
import type { Target } from './request-info.ts';
import { badRequest, pathNotFound } from './status.ts';

const [, MAJOR = '', MINOR = ''] = /^v(\d+)\.(\d+)/.exec(KUBERNETES_VERSION) ?? [];
const CHECKS = [
  'ping',
  'log',
  'etcd',
  'poststarthook/start-apiextensions-controllers',
  'poststarthook/rbac/bootstrap-roles',
];

/** The parts of the API server that answer outside the resources. */
interface ApiServer {
  readonly kernel: Kernel;
  readonly discovery: Discovery;
  readonly openApi: OpenApi;
}

/** Paths outside the resources: health, version, discovery, schemas. */
export function nonResource(server: ApiServer, request: HttpRequest, { path, query }: Target): Reply | Promise<Reply> {
  const parts = path.split('/').slice(1);
  if (parts.at(-1) === '') parts.pop();
  const [head = '', ...rest] = parts;
  switch (head) {
    case '':
      return answer({ paths: rootPaths(server) });
    case 'version':
      // Indented, whoever asks. Source: kubernetes@1.34 apiserver/pkg/server/routes/version.go.
      return text(stringifyJson(versionInfo(), 2), 200, 'application/json');
    case 'healthz':
    case 'livez':
    case 'readyz':
      return health(head, rest.join('/'), query);
    case 'metrics':
      return text(metrics(server), 200, 'text/plain; version=0.0.4; charset=utf-8');
    case 'api':
      return rest.length === 0 ? groups(server, request, '/api') : resourceList(server, '', rest.join('/'));
    case 'apis':
      return apis(server, request, rest);
    case 'openapi':
      return openApi(server, request, rest, query);
    case 'weir':
      return rest[0] === 'clock'
        ? clock(server, request, rest[1])
        : rest.join('/') === 'snapshot'
          ? snapshot(server)
          : pageNotFound();
    case '.well-known':
      return rest.join('/') === 'openid-configuration'
        ? text(server.kernel.tokens.configuration(), 200, 'application/json')
        : pageNotFound();
    case 'openid':
      return rest.join('/') === 'v1/jwks'
        ? text(server.kernel.tokens.jwks(), 200, 'application/jwk-set+json')
        : pageNotFound();
    default:
      return pageNotFound();
  }
}

/** Weir's own: the whole state at one moment, as a file for `weir cluster restore`. */
function snapshot({ kernel: { store } }: ApiServer): Reply {
  const chunks = snapshotRecords(store.entries(), store.revision);
  return { status: 200, content: { kind: 'stream', chunks, type: 'application/octet-stream' } };
}

/** A year: more is a mistake. */
const MAX_ADVANCE_MS = 366 * 24 * 3_600_000;

/** Weir's own: `GET /weir/clock` tells a cluster's time, `POST /weir/clock/advance` with `{"by": "1h30m"}` moves one that stands still. */
async function clock({ kernel }: ApiServer, { method, body }: HttpRequest, action: string | undefined): Promise<Reply> {
  const told = (ms: number): Reply => answer({ now: new Date(ms).toISOString(), manual: kernel.advance !== undefined });
  if (action === undefined && method === 'GET') return told(kernel.clock.now());
  if (action !== 'advance') return pageNotFound();
  if (method !== 'POST')
    return failure({ code: 405, reason: 'MethodNotAllowed', message: 'the clock is moved by a POST' });
  if (kernel.advance === undefined)
    return failure({
      code: 409,
      reason: 'Conflict',
      message: 'this cluster runs on the clock of its machine: start it with --clock=manual',
    });
  const by = readDuration(body);
  if (!by.ok) return failure(badRequest(by.error));
  return told(await kernel.advance(by.value));
}

function readDuration(body: Uint8Array | undefined): Result<number, string> {
  let sent: Json;
  try {
    sent = parseJson(new TextDecoder().decode(body));
  } catch {
    return err('the body is no JSON: send {"by": "1h30m"}');
  }
  const by = stringAt(sent, 'by');
  if (by === undefined) return err('the body does not say by how much: send {"by": "1h30m"}');
  const parsed = parseDuration(by);
  if (!parsed.ok) return parsed;
  if (parsed.value < 0) return err('time does not run backwards');
  return parsed.value > MAX_ADVANCE_MS ? err('at most a year at a time') : parsed;
}

function rootPaths(server: ApiServer): readonly string[] {
  const served = new Set(['/api', '/api/v1', '/apis', '/apis/']);
  for (const { group, version } of server.kernel.table.all())
    if (group !== '') served.add(`/apis/${group}`).add(`/apis/${group}/${version}`);
  const checks = ['healthz', 'livez', 'readyz'].flatMap((end) => [
    `/${end}`,
    ...CHECKS.map((name) => `/${end}/${name}`),
  ]);
  const others = ['/.well-known/openid-configuration', '/metrics', '/openapi/v2', '/openapi/v3', '/openapi/v3/'];
  return [...served, ...checks, ...others, '/openid/v1/jwks', '/version'].sort();
}

export function versionInfo(): { readonly [key: string]: string } {
  return {
    major: MAJOR,
    minor: MINOR,
    emulationMajor: MAJOR,
    emulationMinor: MINOR,
    minCompatibilityMajor: MAJOR,
    minCompatibilityMinor: String(Number(MINOR) - 1),
    gitVersion: KUBERNETES_VERSION,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: `${process.platform}/${process.arch}`,
  };
}

function health(endpoint: string, check: string, query: URLSearchParams): Reply {
  if (check !== '') return CHECKS.includes(check) ? text('ok') : pageNotFound();
  if (query.get('verbose') === null) return text('ok');
  return text(`${CHECKS.map((name) => `[+]${name} ok\n`).join('')}${endpoint} check passed\n`);
}

function groups(server: ApiServer, request: HttpRequest, path: '/api' | '/apis'): Reply {
  const wanted = negotiate(request.headers['accept'], { transforms: false, pretty: false, discovery: true });
  if (wanted?.as === 'APIGroupDiscoveryList')
    return server.discovery.aggregated(path, request.headers['if-none-match']);
  return path === '/api' ? server.discovery.versions(request.headers['host'] ?? '') : server.discovery.groupList();
}

function apis(server: ApiServer, request: HttpRequest, rest: readonly string[]): Reply {
  const [group, version] = rest;
  if (group === undefined) return groups(server, request, '/apis');
  if (version === undefined) return server.discovery.group(group);
  return resourceList(server, group, version);
}

function resourceList(server: ApiServer, group: string, version: string): Reply {
  const found = server.discovery.resourceList(group, version);
  if (found !== undefined) return found;
  const known = group === '' || server.kernel.table.all().some((type) => type.group === group);
  return known ? failure(pathNotFound()) : pageNotFound();
}

function openApi(server: ApiServer, request: HttpRequest, rest: readonly string[], query: URLSearchParams): Reply {
  if (rest[0] === 'v2' && rest.length === 1)
    return server.openApi.v2(request.headers['accept'] ?? '', request.headers['if-none-match']);
  if (rest[0] !== 'v3') return pageNotFound();
  if (rest.length === 1) return server.openApi.index();
  return server.openApi.document(rest.slice(1).join('/'), query.get('hash')) ?? pageNotFound();
}

function metrics({ kernel }: ApiServer): string {
  const lines = [
    '# HELP apiserver_storage_objects Number of stored objects by kind.',
    '# TYPE apiserver_storage_objects gauge',
  ];
  for (const storage of kernel.store.resources()) {
    const [group, plural] = storage.split('/') as [string, string];
    lines.push(`apiserver_storage_objects{group="${group}",resource="${plural}"} ${kernel.store.count(storage)}`);
  }
  lines.push(
    '# HELP apiserver_storage_revision Current revision of the store.',
    '# TYPE apiserver_storage_revision counter',
    `apiserver_storage_revision ${kernel.store.revision}`,
    '# HELP apiserver_longrunning_requests Number of open watches.',
    '# TYPE apiserver_longrunning_requests gauge',
    `apiserver_longrunning_requests{verb="WATCH"} ${kernel.watches.open}`,
    '# HELP process_resident_memory_bytes Resident memory size in bytes.',
    '# TYPE process_resident_memory_bytes gauge',
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    '',
  );
  return lines.join('\n');
}
