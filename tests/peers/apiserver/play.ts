import { request } from 'node:https';
import { setTimeout } from 'node:timers/promises';
import type { Json, JsonObject, MutableJsonObject } from '../../../src/base/json.ts';
import { isArray, isObject, parseJson, put, stringifyJson } from '../../../src/base/json.ts';

/** A server to talk to, as an administrator. */
export interface Server {
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** One request. `${ns}` in paths and bodies is the sequence's own name. */
export interface Step {
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON unless it is text. */
  readonly body?: unknown;
  readonly bytes?: Uint8Array;
  /** Keeps what is found at a path of the answer for `${name}` of later steps. */
  readonly save?: Readonly<Record<string, readonly string[]>>;
  /** The answer may differ: the step only prepares. */
  readonly quiet?: boolean;
  /** Asked again for a while until it is answered so. */
  readonly waitFor?: number;
  /** Lines of a watch to wait for before hanging up. */
  readonly events?: number;
}

/** Requests that are sent one after another; the namespace `${ns}` is there before. */
export interface Sequence {
  readonly name: string;
  readonly steps: readonly Step[];
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly warnings: readonly string[];
  readonly body: Json;
}

const TIMEOUT_MS = 20_000;

async function send(server: Server, step: Step, fill: (text: string) => string): Promise<Answer> {
  const isText = typeof step.body === 'string';
  const body =
    step.bytes ??
    (step.body === undefined
      ? undefined
      : Buffer.from(fill(isText ? (step.body as string) : JSON.stringify(step.body))));
  const headers: Record<string, string> = { 'user-agent': 'sequence/1', accept: 'application/json', ...step.headers };
  if (body !== undefined && step.type !== '') headers['content-type'] = step.type ?? 'application/json';
  if (body !== undefined) headers['content-length'] = String(body.length);
  const { ca, cert, key } = server;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(server.url + fill(step.path)),
      { method: step.method, headers, ca, cert, key, timeout: TIMEOUT_MS },
      (incoming) => {
        let text = '';
        const finish = (): void => {
          const warning = incoming.rawHeaders.filter(
            (_, index) => incoming.rawHeaders[index - 1]?.toLowerCase() === 'warning',
          );
          resolve({
            status: incoming.statusCode ?? 0,
            type: incoming.headers['content-type'] ?? '',
            warnings: warning,
            body: step.events === undefined ? bodyOf(text) : text.split('\n').filter(Boolean).map(bodyOf),
          });
        };
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => {
          text += chunk;
          if (step.events !== undefined && text.split('\n').length > step.events) {
            finish();
            incoming.destroy();
          }
        });
        incoming.on('end', finish);
        incoming.on('error', finish);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${step.method} ${step.path}: no answer`)));
    outgoing.on('error', reject);
    if (body !== undefined) outgoing.write(body);
    outgoing.end();
  });
}

function bodyOf(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return { $text: text };
  }
}

/** Plays a sequence; the answers come back with everything replaced that differs from run to run. */
export async function play(server: Server, sequence: Sequence, ns: string): Promise<readonly Answer[]> {
  const saved = new Map<string, string>([['ns', ns]]);
  const fill = (text: string): string =>
    text.replace(/\$\{(\w+)\}/g, (whole, name: string) => saved.get(name) ?? whole);
  const prepare = async (path: string, body: unknown): Promise<void> => {
    await send(server, { method: 'POST', path, body }, fill);
  };
  await prepare('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } });
  await prepare(`/api/v1/namespaces/${ns}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  });
  const sent = JSON.stringify(sequence.steps);
  const symbols = new Symbols(sent);
  const answers: Answer[] = [];
  for (const step of sequence.steps) {
    let answer = await send(server, step, fill);
    for (let tries = 0; tries < 50 && step.waitFor !== undefined && answer.status !== step.waitFor; tries++) {
      await setTimeout(100);
      answer = await send(server, step, fill);
    }
    for (const [name, path] of Object.entries(step.save ?? {})) {
      let found: Json | undefined = answer.body;
      for (const key of path) found = isObject(found) ? found[key] : isArray(found) ? found[Number(key)] : undefined;
      saved.set(name, typeof found === 'string' ? found : stringifyJson(found ?? null));
    }
    answers.push(
      step.quiet === true
        ? { status: 0, type: '', warnings: [], body: null }
        : { ...answer, warnings: answer.warnings.map((text) => symbols.text(text)), body: symbols.value(answer.body) },
    );
  }
  await send(server, { method: 'DELETE', path: `/api/v1/namespaces/${ns}` }, fill);
  return answers;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** The range both servers allocate from. */
const SERVICE_ADDRESS = /\b10\.(?:9[6-9]|10\d|11[01])\.\d{1,3}\.\d{1,3}\b/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** Names for values that no two runs share. */
class Symbols {
  readonly #sent: string;
  readonly #uids = new Map<string, string>();
  readonly #versions = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #addresses = new Map<string, string>();

  constructor(sent: string) {
    this.#sent = sent;
  }

  #name(map: Map<string, string>, value: string, kind: string): string {
    const known = map.get(value) ?? `<${kind}:${map.size + 1}>`;
    map.set(value, known);
    return known;
  }

  text(text: string): string {
    let out = text
      .replace(UUID, (uid) => (this.#sent.includes(uid) ? uid : this.#name(this.#uids, uid, 'uid')))
      .replace(SERVICE_ADDRESS, (address) =>
        this.#sent.includes(address) ? address : this.#name(this.#addresses, address, 'ip'),
      )
      .replace(TIME, (time) => (this.#sent.includes(time) ? time : time.includes('.') ? '<microtime>' : '<time>'))
      .replace(/"resourceVersion(\\*)":(\\*)"(\d+)(\\*)"/g, '"resourceVersion$1":$2"<rv>$4"')
      .replace(/(current|requested|resource version:?|resourceVersion) (\(?)\d+/gi, '$1 $2<n>')
      .replace(/resourceVersion:"\d+"/g, 'resourceVersion:"<rv>"')
      .replace(/resourceVersion:\d+/g, 'resourceVersion:<rv>');
    for (const [name, symbol] of this.#names) out = out.replaceAll(name, symbol);
    return out;
  }

  value(value: Json, key = ''): Json {
    if (typeof value === 'string') {
      if (key === 'resourceVersion' && /^\d+$/.test(value) && !this.#sent.includes(`"${value}"`))
        return this.#name(this.#versions, value, 'rv');
      if (key === 'continue' && value !== '') return '<continue>';
      return this.text(value);
    }
    if (isArray(value)) return value.map((item) => this.value(item));
    if (!isObject(value)) return value;
    const out: MutableJsonObject = {};
    this.#learn(value);
    const list = Object.hasOwn(value, 'items');
    for (const name of Object.keys(value)) {
      const inner = value[name] as Json;
      // Only equality of the versions of lists says nothing: others write meanwhile.
      if (list && name === 'metadata' && isObject(inner) && Object.hasOwn(inner, 'resourceVersion'))
        put(out, name, { ...(this.value(inner) as JsonObject), resourceVersion: '<rv>' });
      else put(out, this.text(name), this.value(inner, name));
    }
    return out;
  }

  #learn(object: JsonObject): void {
    const { name, generateName } = object;
    if (typeof name === 'string' && typeof generateName === 'string' && name.startsWith(generateName))
      if (!this.#names.has(name)) this.#names.set(name, `${generateName}<gen:${this.#names.size + 1}>`);
  }
}

/** The first places where two values differ. */
export function differences(want: Json | undefined, got: Json | undefined, path = '', limit = 6): readonly string[] {
  const found: string[] = [];
  walk(want, got, path, found, limit);
  return found;
}

function walk(want: Json | undefined, got: Json | undefined, path: string, found: string[], limit: number): void {
  if (found.length >= limit) return;
  if (isArray(want) && isArray(got)) {
    for (let index = 0; index < Math.max(want.length, got.length); index++)
      walk(want[index], got[index], `${path}[${index}]`, found, limit);
  } else if (isObject(want) && isObject(got)) {
    for (const key of new Set([...Object.keys(want), ...Object.keys(got)]))
      walk(want[key], got[key], `${path}.${key}`, found, limit);
  } else if (
    stringifyJson(want ?? null) !== stringifyJson(got ?? null) ||
    (want === undefined) !== (got === undefined)
  ) {
    const show = (value: Json | undefined): string => (value === undefined ? 'nothing' : stringifyJson(value));
    found.push(`${path}: want ${show(want)}\n      got ${show(got)}`);
  }
}
