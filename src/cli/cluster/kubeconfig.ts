import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { field, isArray, isObject, type Json, type JsonObject, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { printYamlError } from '../../engine/yaml/error.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';
import { printYaml } from '../../engine/yaml/print.ts';

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
export function mergeKubeconfig(file: string, context: string, access: ClusterAccess): Result<void, string> {
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

/** Takes the cluster's context out again. */
export function removeFromKubeconfig(file: string, context: string): Result<void, string> {
  if (!existsSync(file)) return ok(undefined);
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

function change(file: string, edit: (config: JsonObject) => JsonObject): Result<void, string> {
  try {
    let config: JsonObject = {};
    if (existsSync(file)) {
      const parsed = parseYaml(readFileSync(file, 'utf8'));
      if (!parsed.ok) return err(`${file}: ${printYamlError(parsed.error)}`);
      if (isObject(parsed.value)) config = parsed.value;
    }
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const part = `${file}.weir-${process.pid}`;
    writeFileSync(part, printYaml(edit(config)), { mode: 0o600 });
    renameSync(part, file);
    chmodSync(file, 0o600);
    return ok(undefined);
  } catch (cause) {
    return err(`cannot write ${file}: ${(cause as NodeJS.ErrnoException).code ?? 'failed'}`);
  }
}
