import { field, isArray, isObject, type JsonObject, stringAt } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { parseYaml } from '../engine/yaml/parse.ts';

/** Why a kubeconfig cannot be used. The message names file and field, never a value. */
export interface KubeconfigError {
  readonly code: 'NotFound' | 'Unreadable' | 'Invalid' | 'Missing' | 'Forbidden';
  readonly message: string;
  readonly file?: string;
  readonly field?: string;
}

/** One named entry and the file it came from, against whose folder its paths are resolved. */
export interface NamedEntry {
  readonly name: string;
  readonly value: JsonObject;
  readonly file: string;
}

/** Kubeconfig files merged: for each name the first file that has it wins. */
export interface Kubeconfig {
  readonly currentContext: string | undefined;
  readonly contexts: readonly NamedEntry[];
  readonly clusters: readonly NamedEntry[];
  readonly users: readonly NamedEntry[];
}

const LISTS = { contexts: 'context', clusters: 'cluster', users: 'user' } as const;

/** Reads the text of one kubeconfig file (YAML or JSON). Errors: `Invalid`. */
export function parseKubeconfig(text: string, file: string): Result<Kubeconfig, KubeconfigError> {
  const parsed = parseYaml(text);
  if (!parsed.ok) {
    // The parser's message quotes the line, which may hold a key: only the place is told.
    return invalid(file, undefined, `is not YAML (line ${parsed.error.line})`);
  }
  const document = parsed.value ?? {};
  if (!isObject(document)) return invalid(file, undefined, 'is not a mapping');
  const kind = field(document, 'kind');
  if (kind !== undefined && kind !== 'Config') return invalid(file, 'kind', 'is not Config');
  const lists: { [list in keyof typeof LISTS]: NamedEntry[] } = { contexts: [], clusters: [], users: [] };
  for (const list of ['contexts', 'clusters', 'users'] as const) {
    const entries = field(document, list) ?? [];
    if (entries !== null && !isArray(entries)) return invalid(file, list, 'is not a list');
    for (const [index, entry] of (entries ?? []).entries()) {
      const name = stringAt(entry, 'name');
      if (name === undefined) return invalid(file, `${list}[${index}].name`, 'is missing');
      const value = field(entry, LISTS[list]) ?? {};
      if (!isObject(value)) return invalid(file, `${list}[${index}].${LISTS[list]}`, 'is not a mapping');
      lists[list].push({ name, value, file });
    }
  }
  return ok({ currentContext: stringAt(document, 'current-context') || undefined, ...lists });
}

/** Merges configurations; the first that names a thing wins. Source: client-go@0.34 tools/clientcmd/loader.go. */
export function mergeKubeconfigs(configs: readonly Kubeconfig[]): Kubeconfig {
  return {
    currentContext: configs.find(({ currentContext }) => currentContext !== undefined)?.currentContext,
    contexts: firsts(configs.flatMap(({ contexts }) => contexts)),
    clusters: firsts(configs.flatMap(({ clusters }) => clusters)),
    users: firsts(configs.flatMap(({ users }) => users)),
  };
}

function firsts(entries: readonly NamedEntry[]): readonly NamedEntry[] {
  const byName = new Map<string, NamedEntry>();
  for (const entry of entries) if (!byName.has(entry.name)) byName.set(entry.name, entry);
  return [...byName.values()];
}

function invalid(file: string, at: string | undefined, what: string): Result<never, KubeconfigError> {
  return err({
    code: 'Invalid',
    file,
    ...(at === undefined ? {} : { field: at }),
    message: `kubeconfig ${file}: ${at === undefined ? '' : `${at} `}${what}`,
  });
}
