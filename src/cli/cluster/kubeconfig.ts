import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { field, isArray, isObject, type Json, type JsonObject, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { printYamlError } from '../../engine/yaml/error.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';
import { printYaml } from '../../engine/yaml/print.ts';

const LOCK_TIMEOUT_MS = 10_000;
const LOCK_POLL_MS = 20;

/** What a client needs to reach a cluster as its administrator. PEM texts. */
export interface ClusterAccess {
  readonly url: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** The file that kubectl would write: the first of KUBECONFIG, else ~/.kube/config. */
export function defaultKubeconfig(env: Readonly<Record<string, string | undefined>>): string {
  const [first] = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  return first ?? join(env['HOME'] ?? homedir(), '.kube', 'config');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** A kubeconfig with this cluster and nothing else. */
export function kubeconfigFor(context: string, access: ClusterAccess): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    preferences: {},
    'current-context': context,
    clusters: [
      { name: context, cluster: { server: access.url, 'certificate-authority-data': base64(access.authority) } },
    ],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
    users: [
      {
        name: context,
        user: {
          'client-certificate-data': base64(access.certificate),
          'client-key-data': base64(access.key),
        },
      },
    ],
  };
}

/** Puts the cluster's context into the file, as the current one; what else is there stays. */
export function mergeKubeconfig(file: string, context: string, access: ClusterAccess): Promise<Result<void, string>> {
  const added = kubeconfigFor(context, access);
  return change(file, (config) => {
    const out: { [key: string]: Json } = { ...added, ...config, 'current-context': context };
    for (const list of ['clusters', 'contexts', 'users']) {
      const others = named(config, list).filter((entry) => stringAt(entry, 'name') !== context);
      out[list] = [...others, ...(added[list] as readonly Json[])];
    }
    return out;
  });
}

/** Gives the context, where the file has it, the cluster's present address and certificates. */
export function refreshKubeconfig(file: string, context: string, access: ClusterAccess): Promise<Result<void, string>> {
  const fresh = kubeconfigFor(context, access);
  return change(file, (config) => {
    const out: { [key: string]: Json } = { ...config };
    for (const list of ['clusters', 'users'])
      out[list] = named(config, list).map((entry) =>
        stringAt(entry, 'name') === context ? (named(fresh, list)[0] as Json) : entry,
      );
    return out;
  });
}

/** Takes the cluster's context out again. */
export function removeFromKubeconfig(file: string, context: string): Promise<Result<void, string>> {
  if (!existsSync(file)) return Promise.resolve(ok(undefined));
  return change(file, (config) => {
    const out: { [key: string]: Json } = { ...config };
    for (const list of ['clusters', 'contexts', 'users'])
      out[list] = named(config, list).filter((entry) => stringAt(entry, 'name') !== context);
    if (stringAt(config, 'current-context') === context) out['current-context'] = '';
    return out;
  });
}

function named(config: JsonObject, key: string): readonly Json[] {
  const list = field(config, key);
  return isArray(list) ? list : [];
}

/** One writer at a time, by the lock file that kubectl takes too. Source: client-go@0.34 tools/clientcmd/config.go lockFile. */
async function change(path: string, edit: (config: JsonObject) => JsonObject): Promise<Result<void, string>> {
  // A link stays one: what it leads to is changed.
  const file = existsSync(path) ? realpathSync(path) : path;
  const lock = `${file}.lock`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (!(await take(lock))) return err(`cannot write ${file}: ${lock} is there; remove it when no program uses it`);
    try {
      let config: JsonObject = {};
      if (existsSync(file)) {
        const parsed = parseYaml(readFileSync(file, 'utf8'));
        if (!parsed.ok) return err(`${file}: ${printYamlError(parsed.error)}`);
        if (parsed.value !== null && !isObject(parsed.value)) return err(`${file}: this is no kubeconfig`);
        if (isObject(parsed.value)) config = parsed.value;
      }
      const part = `${file}.weir-${process.pid}`;
      writeFileSync(part, printYaml(edit(config)), { mode: 0o600 });
      renameSync(part, file);
      chmodSync(file, 0o600);
      return ok(undefined);
    } finally {
      rmSync(lock, { force: true });
    }
  } catch (cause) {
    return err(`cannot write ${file}: ${(cause as NodeJS.ErrnoException).code ?? 'failed'}`);
  }
}

async function take(lock: string): Promise<boolean> {
  for (let waited = 0; waited < LOCK_TIMEOUT_MS; waited += LOCK_POLL_MS) {
    try {
      closeSync(openSync(lock, 'wx', 0o600));
      return true;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    }
    await setTimeout(LOCK_POLL_MS);
  }
  return false;
}
