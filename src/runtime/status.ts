import { type Condition, MAX_CONDITION_MESSAGE, reconciling } from '../api/condition.ts';
import type { KubeObject } from '../api/object.ts';
import type { Outcome, Report } from '../api/outcome.ts';
import {
  equal,
  field,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
  stringAt,
} from '../base/json.ts';

/** What the status writer needs to know of a controller. */
export interface StatusRules {
  /** Condition types the controller owns, beside Ready, Reconciling and Stalled. */
  readonly owned: readonly string[];
  readonly restampsReady: boolean;
  /** RFC 3339, seconds. */
  readonly now: string;
}

/** `metadata.annotations` key that asks for a reconcile. */
export const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';

/** Status while a reconcile runs: bookkeeping fields stay as they are. */
export function progressStatus(object: KubeObject, report: Omit<Report, 'events'>, rules: StatusRules): JsonObject {
  const status = startOf(object, report.status);
  put(status, 'conditions', mergeConditions(object, report.conditions, rules));
  return status;
}

/**
 * Status after a reconcile of `object` (as it was when the reconcile began).
 * Rules: Reconciling goes when Ready or Stalled, and says ProgressingWithRetry when not Ready; Stalled stays only with the outcome
 * of that name; `observedGeneration` advances on Ready=True and on Stalled, unless the report sets it itself;
 * `lastHandledReconcileAt` takes over the request. Source: kustomize-controller@1.9 finalizeStatus; fluxcd/pkg runtime/patch.
 */
export function finalStatus(
  object: KubeObject,
  outcome: Exclude<Outcome, { readonly kind: 'deleted' }>,
  rules: StatusRules,
): JsonObject {
  const report = outcome.kind === 'none' ? undefined : outcome;
  const status = startOf(object, report?.status);
  const conditions = report === undefined ? suspended(object, rules) : concluded(object, report, outcome.kind, rules);
  if (conditions.length > 0 || field(object.status, 'conditions') !== undefined) put(status, 'conditions', conditions);
  const requested = object.metadata.annotations?.[REQUESTED_AT];
  if (requested !== undefined) put(status, 'lastHandledReconcileAt', requested);
  const explicit = field(report?.status, 'observedGeneration');
  const isReady = conditions.some((condition) => condition['type'] === 'Ready' && condition['status'] === 'True');
  if (explicit !== undefined) put(status, 'observedGeneration', explicit);
  else if ((isReady || outcome.kind === 'stalled') && object.metadata.generation !== undefined) {
    put(status, 'observedGeneration', object.metadata.generation);
  }
  return status;
}

/** The merge patch that turns `before` into `after`; undefined when there is nothing to do. Source: RFC 7386. */
export function mergePatch(before: JsonObject | undefined, after: JsonObject): JsonObject | undefined {
  const patch: MutableJsonObject = {};
  for (const key of Object.keys(before ?? {})) if (!Object.hasOwn(after, key)) put(patch, key, null);
  for (const key of Object.keys(after)) {
    const was = field(before, key);
    const is = after[key] as Json;
    if (was !== undefined && equal(was, is)) continue;
    if (isObject(was) && isObject(is)) {
      const inner = mergePatch(was, is);
      if (inner !== undefined) put(patch, key, inner);
    } else put(patch, key, is);
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** The kind's own fields of the report (or those there are, when it has none) with the bookkeeping fields as they are. */
function startOf(object: KubeObject, own: JsonObject | undefined): MutableJsonObject {
  const status: MutableJsonObject = {};
  const source = own ?? object.status ?? {};
  for (const key of Object.keys(source)) if (source[key] !== undefined) put(status, key, source[key] as Json);
  for (const key of ['observedGeneration', 'lastHandledReconcileAt', 'conditions']) {
    const was = field(object.status, key);
    if (was !== undefined) put(status, key, was);
    else delete status[key];
  }
  return status;
}

function concluded(
  object: KubeObject,
  report: Report,
  kind: Outcome['kind'],
  rules: StatusRules,
): readonly JsonObject[] {
  const ready = report.conditions.find(({ type }) => type === 'Ready');
  const conditions = report.conditions
    .filter(({ type }) => type !== 'Reconciling' || (ready?.status !== 'True' && kind !== 'stalled'))
    .filter(({ type }) => type !== 'Stalled' || kind === 'stalled')
    .map((condition) =>
      condition.type === 'Reconciling' && ready?.status === 'False'
        ? reconciling('ProgressingWithRetry', condition.message)
        : condition,
    );
  return mergeConditions(object, conditions, rules);
}

/** A pass that does nothing still drops Reconciling from a ready object, and says of a failed one that it is retried. */
function suspended(object: KubeObject, rules: StatusRules): readonly JsonObject[] {
  const existing = conditionsOf(object);
  const ready = existing.find((condition) => condition['type'] === 'Ready');
  const isReady = ready?.['status'] === 'True';
  const isFailed = ready?.['status'] === 'False';
  const observedGeneration = object.metadata.generation ?? 0;
  return existing
    .filter((condition) => !isReady || condition['type'] !== 'Reconciling')
    .map((condition) => {
      if (rules.restampsReady) return condition === ready ? { ...condition, observedGeneration } : condition;
      return isFailed && condition['type'] === 'Reconciling'
        ? { ...condition, observedGeneration, reason: 'ProgressingWithRetry' }
        : condition;
    });
}

function mergeConditions(object: KubeObject, given: readonly Condition[], rules: StatusRules): readonly JsonObject[] {
  const owned = new Set(['Ready', 'Reconciling', 'Stalled', ...rules.owned, ...given.map(({ type }) => type)]);
  const existing = conditionsOf(object);
  const merged: JsonObject[] = existing.filter((condition) => !owned.has(stringAt(condition, 'type') ?? ''));
  for (const condition of given) {
    const message = capMessage(condition.message);
    const before = existing.find((other) => other['type'] === condition.type);
    const same =
      before !== undefined &&
      before['status'] === condition.status &&
      before['reason'] === condition.reason &&
      before['message'] === message;
    merged.push({
      type: condition.type,
      status: condition.status,
      observedGeneration: condition.observedGeneration ?? object.metadata.generation ?? 0,
      lastTransitionTime: same ? (stringAt(before, 'lastTransitionTime') ?? rules.now) : rules.now,
      reason: condition.reason,
      message,
    });
  }
  return merged.sort((a, b) => order(a) - order(b) || compare(stringAt(a, 'type'), stringAt(b, 'type')));
}

function conditionsOf(object: KubeObject): readonly JsonObject[] {
  const conditions = field(object.status, 'conditions');
  return isArray(conditions) ? conditions.filter(isObject) : [];
}

function capMessage(message: string): string {
  return message.length > MAX_CONDITION_MESSAGE ? `${message.slice(0, MAX_CONDITION_MESSAGE)}...` : message;
}

/** Stalled, Reconciling and Ready come first. Source: fluxcd/pkg runtime/conditions/setter.go conditionWeights. */
function order(condition: JsonObject): number {
  const place = ['Stalled', 'Reconciling', 'Ready'].indexOf(stringAt(condition, 'type') ?? '');
  return place < 0 ? 3 : place;
}

function compare(a = '', b = ''): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
