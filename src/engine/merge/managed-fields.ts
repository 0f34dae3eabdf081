import {
  at,
  equal,
  field,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
  stringAt,
} from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { ResolveSchema, Schema } from '../schema/schema.ts';
import type { Typing } from './atoms.ts';
import { type Comparison, compareTyped } from './compare-typed.ts';
import {
  differenceFields,
  EMPTY_FIELDS,
  type FieldSet,
  fieldPaths,
  fieldsOf,
  intersectFields,
  isEmptyFields,
  printPath,
  recursiveDifference,
  unionFields,
} from './fields.ts';
import { withoutManagedFields } from './managed-object.ts';
import { compareText, decodeManagers, type Entry, encodeManagers, identify, type Managers } from './managers.ts';
import { mergeTyped } from './merge-typed.ts';
import { removeItems } from './remove-items.ts';
import { ensureNamedFields, toFieldSet } from './typed-fields.ts';
import { validateTyped } from './validate-typed.ts';

/** What both ways of writing need. (apimachinery@0.34 util/managedfields and structured-merge-diff@v6 merge/update.go) */
export interface ManagedFieldsContext {
  /** Schema of the kind in `apiVersion`, with `metadata`; undefined: everything is deduced from values. */
  readonly schema: Schema | undefined;
  readonly resolve: ResolveSchema;
  /** Version of the request; every object given is in this version. */
  readonly apiVersion: string;
  /** `status`, `scale`, ...; absent for the resource itself. */
  readonly subresource?: string;
  /** RFC 3339 with seconds, for entries that change. */
  readonly time: string;
  /** What the server calls an object without anything: the zero value of the kind's Go type. Absent: only its kind. */
  readonly empty?: JsonObject;
  /** Fields that the strategy resets on this (sub)resource: never owned through it. See {@link resetFieldsOf}. */
  readonly resetFields?: FieldSet;
  /**
   * Turns an object of this request's version into `apiVersion`, with that version's schema, for managers that wrote in another
   * version. Without it only `apiVersion` is replaced. Undefined: that version is no longer served, and its managers are dropped.
   */
  readonly convert?: (
    object: JsonObject,
    apiVersion: string,
  ) => { readonly object: JsonObject; readonly schema: Schema | undefined } | undefined;
}

export interface ApplyInput extends ManagedFieldsContext {
  /** The stored object, or undefined when this apply creates it. */
  readonly live: JsonObject | undefined;
  readonly applied: JsonObject;
  readonly manager: string;
  readonly force: boolean;
}

export interface Conflict {
  /** Printed as in messages: `"m1" with subresource "status" using v1`. */
  readonly manager: string;
  /** `.spec.replicas` */
  readonly field: string;
}

/**
 * `conflict` is a 409 with reason Conflict, causes `FieldManagerConflict` (message `conflict with <manager>`, field);
 * `bad-request` a 400; `internal` a 500 without reason. `message` is the Status message.
 */
export interface ApplyError {
  readonly code: 'conflict' | 'bad-request' | 'internal';
  readonly message: string;
  readonly conflicts: readonly Conflict[];
}

/** Manager of what was there before an object knew managers. */
const BEFORE_FIRST_APPLY = 'before-first-apply';
/** Manager into which the oldest Update entries go above {@link MAX_UPDATE_MANAGERS}. */
const ANCIENT_CHANGES = 'ancient-changes';
const MAX_UPDATE_MANAGERS = 10;
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Never owned by anyone. (managedfields/internal/stripmeta.go) */
const STRIPPED: FieldSet = fieldsOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', `f:${name}`]),
);

/** The set to give as `resetFields`: `resetFieldsOf('status')` for a main resource with a status subresource. */
export function resetFieldsOf(...topLevelFields: readonly string[]): FieldSet {
  return fieldsOf(...topLevelFields.map((name) => [`f:${name}`]));
}

export interface TrackInput extends ManagedFieldsContext {
  /** The stored object with its managedFields; undefined when this request creates the object. */
  readonly before: JsonObject | undefined;
  /** What the request made of it, with the managedFields that the client sent. */
  readonly after: JsonObject;
  readonly manager: string;
}

/**
 * `after` with the managedFields that a create, update or patch by `manager` leaves behind. Objects whose managers were
 * cleared stay untracked until the next apply. A client clears them by sending `[{}]` or `[]`, and may else edit them when they parse.
 */
export function trackUpdate(input: TrackInput): JsonObject {
  const { before, after } = input;
  const managers = managersForUpdate(input);
  if (managers.size === 0 && before !== undefined) return encodeManagers(after, managers);
  const live = withoutManagedFields(before ?? input.empty ?? emptyObject(after));
  const updated = update(live, withoutManagedFields(after), managers, input, input.manager);
  return encodeManagers(after, updated);
}

function managersForUpdate({ before, after, subresource }: TrackInput): Managers {
  const live = decodeManagers(at(before, 'metadata', 'managedFields'));
  const fallback = typeof live === 'string' ? new Map<string, Entry>() : live;
  if (subresource !== undefined && subresource !== '') return fallback;
  const sent = at(after, 'metadata', 'managedFields');
  if (isReset(sent)) return new Map();
  const managers = decodeManagers(sent);
  return typeof managers === 'string' || managers.size === 0 ? fallback : managers;
}

/** A client asks that nobody own anything. (managedfields/internal/fieldmanager.go isResetManagedFields) */
function isReset(sent: Json | undefined): boolean {
  if (!isArray(sent)) return false;
  return sent.length === 0 || (sent.length === 1 && isObject(sent[0]) && Object.keys(sent[0]).length === 0);
}

function emptyObject(like: JsonObject): JsonObject {
  const { apiVersion, kind } = like;
  return { ...(apiVersion === undefined ? {} : { apiVersion }), ...(kind === undefined ? {} : { kind }) };
}

/** One Update operation by `name` from `live` to `next`, both without managedFields. */
function update(
  live: JsonObject,
  next: JsonObject,
  managers: Managers,
  context: ManagedFieldsContext,
  name: string,
): Managers {
  const typing: Typing = { resolve: context.resolve };
  const { schema } = context;
  // An object that does not fit its schema goes by untracked. (managedfields/internal/structuredmerge.go)
  if (validateTyped(next, schema, typing, true).length > 0 || validateTyped(live, schema, typing, true).length > 0) {
    return managers;
  }
  const { managers: others, comparison } = reconcile(live, next, managers, context, undefined);
  const own = differenceFields(ignoreReset(unionFields(comparison.modified, comparison.added), context), STRIPPED);
  if (!isEmptyFields(own)) {
    const entry: Entry = {
      manager: name === '' ? 'unknown' : name,
      operation: 'Update',
      apiVersion: context.apiVersion,
      subresource: context.subresource ?? '',
      time: context.time,
      set: own,
    };
    const id = identify(entry);
    const previous = others.get(id);
    others.set(id, previous === undefined ? entry : { ...entry, set: unionFields(own, previous.set) });
  }
  return capManagers(others);
}

function ignoreReset(set: FieldSet, { resetFields }: ManagedFieldsContext): FieldSet {
  return resetFields === undefined ? set : recursiveDifference(set, resetFields);
}

/** Takes from every other manager what changed; their conflicts come back beside it. */
function reconcile(
  live: JsonObject,
  next: JsonObject,
  managers: Managers,
  context: ManagedFieldsContext,
  applier: string | undefined,
): { managers: Managers; comparison: Comparison; conflicts: { entry: Entry; set: FieldSet }[] } {
  const typing: Typing = { resolve: context.resolve };
  const prune = (comparison: Comparison): Comparison =>
    context.resetFields === undefined
      ? comparison
      : {
          added: recursiveDifference(comparison.added, context.resetFields),
          modified: recursiveDifference(comparison.modified, context.resetFields),
          removed: recursiveDifference(comparison.removed, context.resetFields),
        };
  const comparison = prune(compareTyped(live, next, context.schema, typing));
  const versions = new Map<string, Comparison | undefined>([[context.apiVersion, comparison]]);
  const out: Managers = new Map();
  const conflicts: { entry: Entry; set: FieldSet }[] = [];
  for (const [id, entry] of managers) {
    if (id === applier) {
      out.set(id, entry);
      continue;
    }
    if (!versions.has(entry.apiVersion)) {
      const before = inVersion(live, entry.apiVersion, context);
      const after = inVersion(next, entry.apiVersion, context);
      versions.set(
        entry.apiVersion,
        before === undefined || after === undefined
          ? undefined
          : prune(compareTyped(before.object, after.object, after.schema, typing)),
      );
    }
    const changes = versions.get(entry.apiVersion);
    if (changes === undefined) continue; // a version that is gone
    const taken = intersectFields(entry.set, unionFields(changes.modified, changes.added));
    if (!isEmptyFields(taken)) conflicts.push({ entry, set: taken });
    const set = differenceFields(differenceFields(entry.set, taken), changes.removed);
    if (!isEmptyFields(set)) out.set(id, { ...entry, set });
  }
  return { managers: out, comparison, conflicts };
}

function inVersion(
  object: JsonObject,
  apiVersion: string,
  { convert, apiVersion: own, schema }: ManagedFieldsContext,
): { object: JsonObject; schema: Schema | undefined } | undefined {
  if (apiVersion === own) return { object, schema };
  if (convert !== undefined) return convert(object, apiVersion);
  return { object: { ...object, apiVersion }, schema };
}

/** Above ten Update entries the oldest ones of a version are one entry. (managedfields/internal/capmanagers.go) */
function capManagers(managers: Managers): Managers {
  const updates = [...managers].filter(([, entry]) => entry.operation === 'Update' && entry.subresource === '');
  if (updates.length <= MAX_UPDATE_MANAGERS) return managers;
  const out = new Map(managers);
  const oldestFirst = updates.toSorted(
    ([a, x], [b, y]) => compareText(x.time ?? '', y.time ?? '') || compareText(a, b),
  );
  let count = updates.length;
  for (const [id, entry] of oldestFirst) {
    if (count <= MAX_UPDATE_MANAGERS) break;
    const bucket: Entry = { ...entry, manager: ANCIENT_CHANGES };
    const bucketId = identify(bucket);
    if (bucketId === id) continue;
    out.delete(id);
    const known = out.get(bucketId);
    if (known === undefined) out.set(bucketId, bucket);
    else {
      out.set(bucketId, { ...bucket, set: unionFields(known.set, entry.set) });
      count--;
    }
  }
  return out;
}

/**
 * Server-side apply. The object that comes back has its managedFields; it is neither defaulted nor validated.
 * `changed` is false when the apply leaves the object as it was (its managedFields may still differ).
 */
export function applyServerSide(
  input: ApplyInput,
): Result<{ readonly object: JsonObject; readonly changed: boolean }, ApplyError> {
  const first = applyOnce(input, input.force);
  // kubectl's first server-side apply takes over what its client-side applies wrote. (lastappliedmanager.go)
  if (first.ok || first.error.code !== 'conflict' || input.manager !== 'kubectl') return withLastApplied(input, first);
  const allowed = lastAppliedFields(input);
  const rest = first.error.paths.filter(({ path }) => !allowed.has(printPath(path)));
  if (rest.length > 0) return err(conflictError(rest));
  return withLastApplied(input, applyOnce(input, true));
}

interface PathConflict {
  readonly entry: Entry;
  readonly path: readonly string[];
}
type ApplyFailure = ApplyError & { readonly paths: readonly PathConflict[] };
type Applied = { readonly object: JsonObject; readonly changed: boolean };

function applyOnce(input: ApplyInput, force: boolean): Result<Applied, ApplyFailure> {
  const { applied, apiVersion, schema } = input;
  const typing: Typing = { resolve: input.resolve };
  const fail = (code: ApplyError['code'], message: string): Result<Applied, ApplyFailure> =>
    err({ code, message, conflicts: [], paths: [] });
  const sentVersion = stringAt(applied, 'apiVersion') ?? '';
  if (sentVersion !== apiVersion) {
    return fail(
      'bad-request',
      `Incorrect version specified in apply patch. Specified patch version: ${sentVersion}, expected: ${apiVersion}`,
    );
  }
  const sent = at(applied, 'metadata', 'managedFields');
  if (sent !== undefined && sent !== null) return fail('bad-request', 'metadata.managedFields must be nil');
  const liveWithManagers = input.live ?? input.empty ?? emptyObject(applied);
  const decoded = decodeManagers(at(liveWithManagers, 'metadata', 'managedFields'));
  if (typeof decoded === 'string') return fail('internal', `failed to decode managed fields: ${decoded}`);
  const live = withoutManagedFields(liveWithManagers);
  const config = withoutManagedFields(applied);
  const managers =
    decoded.size === 0 && input.live !== undefined
      ? update(input.empty ?? emptyObject(live), live, decoded, withoutSubresource(input), BEFORE_FIRST_APPLY)
      : decoded;

  const wrong = validateTyped(config, schema, typing, false);
  if (wrong.length > 0)
    return fail('internal', `failed to create typed patch object (${subject(config)}): ${joinErrors(wrong)}`);
  const wrongLive = validateTyped(live, schema, typing, true);
  if (wrongLive.length > 0) {
    return fail('internal', `failed to create typed live object (${subject(live)}): ${joinErrors(wrongLive)}`);
  }
  const self: Entry = {
    manager: input.manager === '' ? 'unknown' : input.manager,
    operation: 'Apply',
    apiVersion,
    subresource: input.subresource ?? '',
    set: ignoreReset(toFieldSet(config, schema, typing), input),
  };
  const id = identify(self);
  const last = managers.get(id);
  const all = new Map(managers).set(id, self);
  const merged = mergeTyped(live, config, schema, typing);
  const next = last === undefined ? merged : pruneOwned(merged, all, last, input);
  const reconciled = reconcile(live, next as JsonObject, all, input, id);
  if (!force && reconciled.conflicts.length > 0) {
    return err(
      conflictError(reconciled.conflicts.flatMap(({ entry, set }) => fieldPaths(set).map((path) => ({ entry, path })))),
    );
  }
  const changed = !equal(live, next);
  const out = reconciled.managers;
  // Stripped only now: while pruning, the applier's own name and namespace keep `metadata` alive.
  const own = differenceFields(self.set, STRIPPED);
  if (isEmptyFields(own)) out.delete(id);
  else {
    const time = changed || input.live === undefined ? input.time : last?.time;
    out.set(id, { ...self, set: own, ...(time === undefined ? {} : { time }) });
  }
  return ok({ object: encodeManagers(changed ? (next as JsonObject) : live, out), changed });
}

/** The entry of what was there before is never a subresource's. */
function withoutSubresource(input: ApplyInput): ManagedFieldsContext {
  const { resetFields: _reset, ...rest } = input;
  return rest;
}

/** Removes what `last` applied, this apply did not, and nobody else owns. (merge/update.go prune) */
function pruneOwned(merged: Json, managers: Managers, last: Entry, input: ApplyInput): Json {
  if (isEmptyFields(last.set)) return merged;
  const typing: Typing = { resolve: input.resolve };
  const converted = inVersion(merged as JsonObject, last.apiVersion, input);
  if (converted === undefined) return merged;
  const { object, schema } = converted;
  const named = (set: FieldSet): FieldSet => ensureNamedFields(set, schema, typing);
  const lastNamed = named(last.set);
  const without = removeItems(object, lastNamed, schema, typing) ?? {};
  let managed = EMPTY_FIELDS;
  for (const entry of managers.values()) managed = unionFields(managed, entry.set);
  const mergedSet = named(toFieldSet(object, schema, typing));
  const withOwned =
    removeItems(
      object,
      differenceFields(mergedSet, unionFields(named(toFieldSet(without, schema, typing)), named(managed))),
      schema,
      typing,
    ) ?? {};
  const dangling = intersectFields(
    differenceFields(mergedSet, named(toFieldSet(withOwned, schema, typing))),
    lastNamed,
  );
  const pruned = removeItems(object, dangling, schema, typing) ?? {};
  return last.apiVersion === input.apiVersion ? pruned : backToRequestVersion(pruned as JsonObject, input);
}

function backToRequestVersion(object: JsonObject, input: ApplyInput): JsonObject {
  return input.convert?.(object, input.apiVersion)?.object ?? { ...object, apiVersion: input.apiVersion };
}

/** `namespace/name; group/version, Kind=kind` */
function subject(object: JsonObject): string {
  const apiVersion = stringAt(object, 'apiVersion') ?? '';
  const gv = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  const namespace = stringAt(object, 'metadata', 'namespace') ?? '';
  const name = stringAt(object, 'metadata', 'name') ?? '';
  return `${namespace}/${name}; ${gv}, Kind=${stringAt(object, 'kind') ?? ''}`;
}

function joinErrors(errors: readonly string[]): string {
  const [only] = errors;
  return errors.length === 1 && only !== undefined
    ? only
    : ['errors:', ...errors.map((text) => `  ${text}`)].join('\n');
}

function conflictError(found: readonly PathConflict[]): ApplyFailure {
  const paths = found.toSorted((a, b) => compareText(identify(a.entry), identify(b.entry)));
  const conflicts = paths.map(({ entry, path }) => ({ manager: printManager(entry), field: printPath(path) }));
  const [only] = conflicts;
  if (conflicts.length === 1 && only !== undefined) {
    const message = `Apply failed with 1 conflict: conflict with ${only.manager}: ${only.field}`;
    return { code: 'conflict', message, conflicts, paths };
  }
  const lines: string[] = [];
  for (const manager of new Set(conflicts.map((conflict) => conflict.manager))) {
    lines.push(`conflicts with ${manager}:`);
    for (const conflict of conflicts) if (conflict.manager === manager) lines.push(`- ${conflict.field}`);
  }
  const message = `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
  return { code: 'conflict', message, conflicts, paths };
}

function printManager({ manager, operation, apiVersion, subresource }: Entry): string {
  const name = JSON.stringify(manager) + (subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`);
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}

/** Fields of the client-side apply's annotation that the live object still has unchanged. */
function lastAppliedFields(input: ApplyInput): Set<string> {
  const text = stringAt(input.live, 'metadata', 'annotations', LAST_APPLIED);
  const typing: Typing = { resolve: input.resolve };
  if (text === undefined || input.live === undefined) return new Set();
  let last: unknown;
  try {
    last = JSON.parse(text);
  } catch {
    return new Set();
  }
  if (!isObject(last) || last['apiVersion'] !== input.apiVersion) return new Set();
  const { added, modified, removed } = compareTyped(last, withoutManagedFields(input.live), input.schema, typing);
  const own = [added, modified, removed].reduce(differenceFields, toFieldSet(last, input.schema, typing));
  return new Set(fieldPaths(own).map(printPath));
}

/** `kubectl apply --server-side` keeps the client-side annotation in step, where there is one. (lastappliedupdater.go) */
function withLastApplied(input: ApplyInput, result: Result<Applied, ApplyError>): Result<Applied, ApplyError> {
  if (!result.ok) {
    const { code, message, conflicts } = result.error;
    return err({ code, message, conflicts });
  }
  if (input.manager !== 'kubectl' || stringAt(input.live, 'metadata', 'annotations', LAST_APPLIED) === undefined)
    return result;
  const { object } = result.value;
  const metadata = field(object, 'metadata') as JsonObject;
  const annotations: MutableJsonObject = { ...(field(metadata, 'annotations') as JsonObject | undefined) };
  const applied: MutableJsonObject = { ...withoutManagedFields(input.applied) };
  put(annotations, LAST_APPLIED, `${JSON.stringify(sortedKeys(applied))}\n`);
  return ok({ ...result.value, object: { ...object, metadata: { ...metadata, annotations } } });
}

function sortedKeys(value: Json): Json {
  if (isArray(value)) return value.map(sortedKeys);
  if (!isObject(value)) return value;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value).toSorted()) put(out, key, sortedKeys(value[key] as Json));
  return out;
}
