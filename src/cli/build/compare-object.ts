import { type KubeObject, printRef, refOf } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { equal, isArray, isObject } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import type { KubeClient, KubeError } from '../../kube/client.ts';
import { type CliContext, type CliResult, failed } from '../command.ts';
import { type Change, changesBetween } from './changes.ts';
import type { SecretTexts } from './helm-secrets.ts';

/** Failures of a comparison exit with this, since 1 says that there are differences. */
export const FAILURE = 2;

/** kubectl's copy of the whole object, a Secret's values included. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What is compared of an object: the server's own bookkeeping is not. */
function comparable(object: KubeObject): JsonObject {
  const { metadata, status: _, ...rest } = object;
  const { labels } = metadata;
  const { [LAST_APPLIED]: _applied, ...annotations } = metadata.annotations ?? {};
  return {
    ...rest,
    metadata: { ...(Object.keys(annotations).length > 0 ? { annotations } : {}), ...(labels ? { labels } : {}) },
  } as JsonObject;
}

/** Values of a Secret are never told, only that they differ. */
function printChange(change: Change, text: (value: Json) => string, secret: boolean): string {
  const { before, after, inList } = change;
  // Only the labels and annotations of a Secret are told.
  const hidden = secret && !/^metadata(\.|$)/.test(change.path);
  const path = change.path === '' ? '(root level)' : change.path;
  const block = (sign: string, value: Json): string => {
    const shown = hidden ? masked(value) : value;
    return text(shown)
      .trimEnd()
      .split('\n')
      .map((line) => `    ${sign}${line}\n`)
      .join('');
  };
  const what = inList ? 'list' : 'map';
  if (before === undefined && after !== undefined)
    return `${path}\n  + one ${what} entry added:\n${block('', after)}\n`;
  if (after === undefined && before !== undefined)
    return `${path}\n  - one ${what} entry removed:\n${block('', before)}\n`;
  if (hidden) return `${path}\n  ± value change\n    - *** (before)\n    + *** (after)\n\n`;
  return `${path}\n  ± value change\n${block('- ', before ?? null)}${block('+ ', after ?? null)}\n`;
}

function masked(value: Json): Json {
  if (!isObject(value)) return '***';
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner)]));
}

/** A Secret with its texts as data, which is how the server keeps them. Source: fluxcd/pkg ssa/normalize. */
function normalized(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object;
  const { stringData, data, ...rest } = object as unknown as { readonly stringData?: Json; readonly data?: Json };
  const merged = { ...(isObject(data) ? data : {}), ...encoded(stringData) };
  return { ...rest, ...(Object.keys(merged).length > 0 ? { data: merged } : {}) } as unknown as KubeObject;
}

function encoded(texts: Json | undefined): JsonObject {
  if (!isObject(texts)) return {};
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text as string).toString('base64')]),
  );
}

/** A namespace that the same build creates is no error: what is in it would be created. */
function isMissingNamespace(error: KubeError, object: KubeObject, created: ReadonlySet<string>): boolean {
  return error.code === 404 && created.has(object.metadata.namespace ?? '');
}

export interface Comparison {
  readonly context: CliContext;
  readonly client: KubeClient;
  readonly createdNamespaces: Set<string>;
  readonly print: (value: Json) => string;
  /** Manager whose apply is played: what the controller would do. */
  readonly manager: string;
  /** What must not be printed. */
  readonly secrets?: SecretTexts;
}

/** Prints what would happen to one object; whether anything would. */
export async function compareObject(comparison: Comparison, written: KubeObject): Promise<CliResult<boolean>> {
  const object = withoutSops(written);
  const { context, client, createdNamespaces, manager, secrets } = comparison;
  const { print } = comparison;
  const ref = refOf(object);
  const name = printRef(ref);
  const live = await client.get(ref, context.signal);
  if (!live.ok && live.error.code !== 404) return fail(live.error.message, name);
  const applied = await client.apply(normalized(object), {
    fieldManager: manager,
    force: true,
    dryRun: true,
    signal: context.signal,
  });
  if (!applied.ok) {
    const unknown = applied.error.reason === 'NoMatch' || isMissingNamespace(applied.error, object, createdNamespaces);
    const { message } = applied.error;
    if (live.ok || !unknown) return fail(`dry-run failed: ${secrets?.hideText(message) ?? message}`, name);
  }
  if (!live.ok || !applied.ok) {
    if (object.kind === 'Namespace') createdNamespaces.add(object.metadata.name);
    context.print(`► ${name} created\n`);
    return ok(true);
  }
  const changes = changesBetween(comparable(live.value), comparable(applied.value));
  if (changes.length === 0) return ok(false);
  context.print(`► ${name} drifted\n\n`);
  for (const change of changes) {
    context.print(printChange(withoutSecrets(change, secrets), print, object.kind === 'Secret'));
  }
  return ok(true);
}

/** What sops says about an object is not applied: the controller decrypts it first. */
function withoutSops(object: KubeObject): KubeObject {
  const { sops: _, ...rest } = object as KubeObject & { readonly sops?: unknown };
  return rest;
}

/** `value` with what sops encrypted hidden. */
function hideEncrypted(value: Json): Json {
  if (isArray(value)) return value.map(hideEncrypted);
  if (typeof value === 'string') return value.startsWith('ENC[AES256_GCM') ? '***' : value;
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hideEncrypted(inner)]));
}

/** Where a secret comes, what is there before may be the secret of yesterday. */
function withoutSecrets(change: Change, secrets: SecretTexts | undefined): Change {
  const hide = (value: Json | undefined): Json | undefined => {
    if (value === undefined) return undefined;
    const shown = hideEncrypted(value);
    return secrets === undefined ? shown : secrets.hide(shown);
  };
  const after = hide(change.after);
  const isSecret = after !== undefined && !equal(after, change.after);
  return { ...change, after, before: isSecret && change.before !== undefined ? '***' : hide(change.before) };
}

export function fail(message: string, name: string): CliResult<never> {
  return failed(`${name}: ${message}`, FAILURE);
}
