import { groupOf, type KubeObject, printRef, refOf } from '../../api/object.ts';
import { dryRunMessage, isImmutable } from '../../apply/apply-error.ts';
import { hasDrifted } from '../../apply/diff.ts';
import { type IgnoreRule, withoutIgnored } from '../../apply/ignore-rules.ts';
import { normalise } from '../../apply/normalise.ts';
import { policiesOf } from '../../apply/policy.ts';
import { at, type Json, type JsonObject, type MutableJsonObject, put, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { KubeClient, KubeError } from '../../kube/client.ts';
import { isNoMatch } from '../../kube/errors.ts';
import { type Change, changesBetween } from './changes.ts';
import type { SecretTexts } from './helm-secrets.ts';
import { hideChanges } from './hide-changes.ts';
import { HIDDEN } from './hide-encrypted.ts';

const GROUP = 'kustomize.toolkit.fluxcd.io';
/** kubectl's copy of the whole object, a Secret's values included. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What a reconciliation would do to one object. */
export type ObjectDiff =
  | { readonly action: 'created' | 'unchanged' | 'skipped' }
  | { readonly action: 'drifted'; readonly changes: readonly Change[] };

/** How objects are compared, and what the same build creates beside them. */
export interface DiffOptions {
  readonly client: KubeClient;
  /** Manager whose apply is played: what the controller would do. */
  readonly manager: string;
  readonly signal: AbortSignal;
  readonly ignore: readonly IgnoreRule[];
  /** `spec.force`: what cannot be changed is made anew. */
  readonly force: boolean;
  /** Namespaces and definitions among the objects: what needs them is no error. */
  readonly brings: { readonly namespaces: ReadonlySet<string>; readonly kinds: ReadonlySet<string> };
  /** What must not be printed. */
  readonly secrets?: SecretTexts;
}

/** What objects create that others of them need: namespaces, and kinds by their definitions. */
export function broughtBy(objects: readonly KubeObject[]): DiffOptions['brings'] {
  const definitions = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
  return {
    namespaces: new Set(objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name)),
    kinds: new Set(
      definitions.map(({ spec }) => `${stringAt(spec, 'group') ?? ''}/${stringAt(spec, 'names', 'kind') ?? ''}`),
    ),
  };
}

/**
 * Compares an object with the server's dry-run of applying it; an error is worded as Flux does.
 * Source: fluxcd/pkg@e2cfd1a ssa/manager_diff.go Diff.
 */
export async function diffObject(object: KubeObject, options: DiffOptions): Promise<Result<ObjectDiff, string>> {
  const { client, signal, ignore, brings, manager, secrets } = options;
  const ref = refOf(object);
  const live = await client.get(ref, signal);
  if (!live.ok && live.error.code !== 404) return err(`${printRef(ref)}: ${live.error.message}`);
  const policies = policiesOf(object, GROUP);
  if (policies.ignored || (live.ok && (policies.ifNotPresent || policiesOf(live.value, GROUP).ignored))) {
    return ok({ action: 'skipped' });
  }
  const applied = await client.apply(
    normalise(withoutSops(object), (text) => Buffer.from(text).toString('base64')),
    { fieldManager: manager, force: true, dryRun: true, signal },
  );
  if (!applied.ok) {
    const recreated = live.ok && (policies.force || options.force) && isImmutable(applied.error);
    if (recreated || (!live.ok && isMissingPart(applied.error, object, brings))) return ok({ action: 'created' });
    const message = dryRunMessage(ref, applied.error);
    return err(secrets?.hideText(message) ?? message);
  }
  if (!live.ok) return ok({ action: 'created' });
  const before = withoutIgnored(live.value, object, ignore);
  const after = withoutIgnored(applied.value, object, ignore);
  if (!hasDrifted(before, after)) return ok({ action: 'unchanged' });
  const changes = hideChanges(changesBetween(...compared(before, after)), secrets);
  return ok(changes.length === 0 ? { action: 'unchanged' } : { action: 'drifted', changes });
}

/** What sops says about an object is not applied: the controller decrypts it first. */
function withoutSops(object: KubeObject): KubeObject {
  const { sops: _, ...rest } = object as KubeObject & { readonly sops?: unknown };
  return rest;
}

/** A namespace or a definition that the same build creates is no error: what needs it would be created. */
function isMissingPart(error: KubeError, object: KubeObject, { namespaces, kinds }: DiffOptions['brings']): boolean {
  if (isNoMatch(error)) return kinds.has(`${groupOf(object.apiVersion)}/${object.kind}`);
  return error.code === 404 && namespaces.has(object.metadata.namespace ?? '');
}

/** What is told of an object: the server's own bookkeeping is not, nor are the values of a Secret. */
function compared(live: KubeObject, applied: KubeObject): readonly [JsonObject, JsonObject] {
  const [before, after] = [shown(live), shown(applied)];
  return live.kind === 'Secret' ? masked(before, after) : [before, after];
}

function shown(object: KubeObject): JsonObject {
  const { metadata, status: _, ...rest } = object;
  const { labels } = metadata;
  const { [LAST_APPLIED]: _applied, ...annotations } = metadata.annotations ?? {};
  return {
    ...rest,
    metadata: { ...(Object.keys(annotations).length > 0 ? { annotations } : {}), ...(labels ? { labels } : {}) },
  } as JsonObject;
}

/** The values of a Secret as stars that tell which ones differ; what sops encrypted differs by its keys alone. */
function masked(before: JsonObject, after: JsonObject): readonly [JsonObject, JsonObject] {
  const fields = ['data', 'stringData'];
  let [old, now] = [before, after];
  for (const name of fields) {
    old = replaced(old, name, (key, value) => mask(value, at(after, name, key), '*** (before)'));
    now = replaced(now, name, (key, value) => mask(value, at(before, name, key), '*** (after)'));
  }
  return [old, now];
}

const ENCRYPTED = new Set([HIDDEN, Buffer.from(HIDDEN).toString('base64')]);

function mask(value: Json, other: Json | undefined, changed: string): string {
  const encrypted = [value, other].some((text) => typeof text === 'string' && ENCRYPTED.has(text));
  return other === undefined || other === value || encrypted ? '***' : changed;
}

function replaced(object: JsonObject, name: string, by: (key: string, value: Json) => Json): JsonObject {
  const values = at(object, name);
  if (typeof values !== 'object' || values === null) return object;
  const out: MutableJsonObject = {};
  for (const [key, value] of Object.entries(values)) put(out, key, by(key, value as Json));
  return { ...object, [name]: out };
}
