import type { KubeObject } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import { equal, stringAt } from '../../base/json.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { Entry, Store } from '../store/store.ts';
import { json, withMeta } from './draft.ts';
import type { ManagedFields } from './managed-fields.ts';
import { validateMeta, validateMetaUpdate } from './meta-validation.ts';
import { generateName } from './names.ts';
import type { Admission, Attributes, Operation, Outcome, Reinvocation } from './operation.ts';
import type { ResourceType } from './resource-type.ts';
import { keyOf } from './resource-type.ts';
import type { Cause } from './status.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  generateNameConflict,
  invalid,
  invalidValue,
  notFound,
} from './status.ts';
import { prepareForCreate, prepareForUpdate, strategyOf } from './strategy.ts';
import { warningsOf } from './warnings/kinds.ts';

/** What the writing of objects needs from the rest of the server. */
export interface ObjectsOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** A random integer in [0, below). */
  readonly random: (below: number) => number;
  readonly uuid: () => string;
  readonly managedFields: ManagedFields;
  /** In the order they run. */
  readonly admission: readonly Admission[];
  /** Fills in what the client left out, as the real server does when it decodes. */
  readonly defaults: (type: ResourceType, object: KubeObject) => KubeObject;
  /** Schema and semantic checks of a whole object. */
  readonly validate: (
    type: ResourceType,
    object: KubeObject,
    old: KubeObject | undefined,
    operation: Operation,
  ) => readonly Cause[];
  /** Side state that belongs to the commit (allocated addresses, charged quotas); runs right before it, synchronously. */
  readonly beforeCommit: (
    type: ResourceType,
    object: KubeObject,
    old: KubeObject | undefined,
    operation: Operation,
  ) => Outcome;
}

/** Tries of a generated name. Source: kubernetes@1.34 apiserver/pkg/endpoints/handlers/create.go. */
const NAME_TRIES = 8;
/** Tries of a patch, or of an update without a version, against concurrent writers. */
const UPDATE_TRIES = 8;

export type Transform = (current: KubeObject) => Promise<Outcome> | Outcome;

/** Creates and changes objects with everything a real API server does on the way. Source: kubernetes@1.34 apiserver/pkg/registry/generic/registry/store.go. */
export class Objects {
  readonly options: ObjectsOptions;

  constructor(options: ObjectsOptions) {
    this.options = options;
  }

  now(): string {
    return new Date(this.options.clock.now()).toISOString().replace(/\.\d{3}Z$/, 'Z');
  }

  entry(type: ResourceType, namespace: string | undefined, name: string): Entry | undefined {
    return this.options.store.get(type.storage, keyOf(namespace, name));
  }

  /** `object` is in the storage version. */
  async create(
    operation: Operation,
    input: KubeObject,
    options: { readonly tracked?: boolean } = {},
  ): Promise<Outcome> {
    const { type } = operation;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#createOnce(operation, input, options.tracked === true);
      const generated = (input.metadata.name ?? '') === '' && (input.metadata.generateName ?? '') !== '';
      if (outcome.ok || outcome.error.reason !== 'AlreadyExists' || (input.metadata.generateName ?? '') === '')
        return outcome;
      // A name that was given as well is not tried again, and is still said to be generated.
      if (!generated || attempt >= NAME_TRIES)
        return err(generateNameConflict(type, stringAt(outcome.error.details, 'name') ?? ''));
    }
  }

  async #createOnce(operation: Operation, input: KubeObject, tracked: boolean): Promise<Outcome> {
    const { type } = operation;
    let object = withMeta(input, (meta) => {
      meta.uid = undefined;
      meta.creationTimestamp = undefined;
      meta.deletionTimestamp = undefined;
      meta.deletionGracePeriodSeconds = undefined;
      meta.resourceVersion = undefined;
      delete (meta as { selfLink?: string }).selfLink;
      if (!type.namespaced) meta.namespace = undefined;
    });
    if (!tracked) object = this.options.managedFields.update(operation, undefined, object, this.now());
    // Mutating admission sees the object before the server fills in what is its own. (kubernetes@1.34 endpoints/handlers/create.go)
    const mutated = await this.#mutate({ ...operation, name: object.metadata.name ?? '' }, object, undefined);
    if (!mutated.ok) return mutated;
    const { namespace = '' } = mutated.value.metadata;
    if (type.namespaced && namespace !== '' && namespace !== input.metadata.namespace)
      return err(badRequest('the namespace of the provided object does not match the namespace sent on the request'));
    object = withMeta(mutated.value, (meta) => {
      if (type.namespaced) meta.namespace = input.metadata.namespace;
      meta.uid = this.options.uuid();
      meta.creationTimestamp = this.now();
      if ((meta.name ?? '') === '' && (meta.generateName ?? '') !== '')
        meta.name = generateName(meta.generateName as string, this.options.random);
    });
    object = this.options.defaults(type, prepareForCreate(type, object));
    const causes = [...validateMeta(type, object), ...this.options.validate(type, object, undefined, operation)];
    if (causes.length > 0) return err(invalid(kindOf(type), object.metadata.name, causes));
    for (const warning of warningsOf(operation, object, undefined)) operation.warn(warning);
    const refused = await this.#validate({ ...operation, name: object.metadata.name, object, old: undefined });
    if (refused !== undefined) return err(refused);
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    if (this.options.store.get(type.storage, key) !== undefined)
      return err(taken(type, object.metadata.name, this.options.store.get(type.storage, key)?.object));
    const last = this.options.beforeCommit(type, object, undefined, operation);
    if (!last.ok) return last;
    if (operation.dryRun) return last;
    const entry = this.options.store.commit({ resource: type.storage, key, expected: undefined, object: last.value });
    if (entry === undefined) return err(alreadyExists(type, object.metadata.name));
    await this.options.store.flushed();
    return ok(entry.object);
  }

  /**
   * Changes an object: `transform` gets the current state and returns the wished one (with managedFields already tracked
   * for server-side apply, else tracked here). A wished `metadata.resourceVersion` must be the current one; without one the
   * change is tried again when somebody else was faster.
   */
  async update(
    operation: Operation,
    name: string,
    transform: Transform,
    options: { readonly tracked?: boolean; readonly derived?: boolean } = {},
  ): Promise<Outcome> {
    const { type, namespace } = operation;
    for (let attempt = 1; ; attempt++) {
      const entry = this.entry(type, namespace, name);
      if (entry === undefined) return err(notFound(type, name));
      const wished = await transform(entry.object);
      if (!wished.ok) return wished;
      const outcome = await this.#updateOnce(operation, entry, wished.value, options);
      if (outcome !== undefined) return outcome;
      if (attempt >= UPDATE_TRIES) return err(conflict(type, name));
    }
  }

  /** Undefined: somebody else wrote meanwhile, and the client did not ask for a version. */
  async #updateOnce(
    operation: Operation,
    entry: Entry,
    wished: KubeObject,
    options: { readonly tracked?: boolean; readonly derived?: boolean },
  ): Promise<Outcome | undefined> {
    const { type, subresource } = operation;
    const old = entry.object;
    const name = old.metadata.name;
    const version = wished.metadata.resourceVersion ?? '';
    const unreadable = /^\d*$/.test(version)
      ? BigInt(version) >= 2n ** 64n
        ? 'value out of range'
        : undefined
      : 'invalid syntax';
    if (unreadable !== undefined)
      return err({
        code: 500,
        reason: '',
        message: `strconv.ParseUint: parsing ${JSON.stringify(version)}: ${unreadable}`,
      });
    const conditional = Number(version) !== 0;
    if (!conditional && strategyOf(type).conditionalUpdate === true)
      return err(
        invalid({ group: type.group, kind: type.plural }, name, [
          invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
        ]),
      );
    if (conditional && version !== old.metadata.resourceVersion) return err(conflict(type, name));
    const uid = wished.metadata.uid;
    if (options.derived !== true && uid !== undefined && uid !== '' && uid !== old.metadata.uid)
      return err(
        conflict(
          type,
          name,
          `StorageError: invalid object, Code: 4, Key: ${registryKey(type, old)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid ?? ''}`,
        ),
      );
    const filled = (given: KubeObject): KubeObject =>
      withMeta(given, (meta) => {
        if ((meta.uid ?? '') === '') meta.uid = old.metadata.uid;
        meta.resourceVersion = undefined;
        delete (meta as { selfLink?: string }).selfLink;
        meta.creationTimestamp = old.metadata.creationTimestamp;
        // A client that read the object before its deletion began does not undo it by writing back.
        meta.deletionTimestamp ??= old.metadata.deletionTimestamp;
        meta.deletionGracePeriodSeconds ??= old.metadata.deletionGracePeriodSeconds;
        if (meta.finalizers?.length === 0) meta.finalizers = undefined;
        if (type.namespaced)
          meta.namespace =
            meta.namespace === undefined || meta.namespace === '' ? old.metadata.namespace : meta.namespace;
      });
    let object = wished;
    if (options.tracked !== true) {
      const owned = strategyOf(type).ownsDropped === true && subresource === undefined;
      const prepared = owned ? filled(wished) : prepareForUpdate(type, filled(wished), old, subresource);
      const { managedFields } = this.options.managedFields.update(operation, old, prepared, this.now()).metadata;
      object = withMeta(wished, (meta) => {
        meta.managedFields = managedFields;
      });
    }
    // Mutating admission sees what was sent; what this (sub)resource may not change is taken back afterwards. (registry/rest/update.go)
    const mutated = await this.#mutate({ ...operation, name }, object, old);
    if (!mutated.ok) return mutated;
    object = prepareForUpdate(type, this.options.defaults(type, filled(mutated.value)), old, subresource);
    const causes = [
      ...validateMeta(type, object),
      ...validateMetaUpdate(object, old),
      // The common part of an update says it, and each kind's own says it again. (kubernetes@1.34 registry/rest/update.go)
      ...validateMetaUpdate(object, old),
      ...validateMeta(type, object),
      ...this.options.validate(type, object, old, operation),
    ];
    if (causes.length > 0) return err(invalid(kindOf(type), name, causes));
    for (const warning of warningsOf(operation, object, old)) operation.warn(warning);
    const seen = withMeta(object, (meta) => {
      meta.resourceVersion = old.metadata.resourceVersion;
    });
    const refused = await this.#validate({ ...operation, name, object: seen, old });
    if (refused !== undefined) return err(refused);
    if (this.options.store.get(type.storage, keyOf(old.metadata.namespace, name)) !== entry)
      return conditional && options.derived !== true ? err(conflict(type, name)) : undefined;
    const last = this.options.beforeCommit(type, object, old, operation);
    if (!last.ok) return last;
    object = withMeta(last.value, (meta) => {
      meta.resourceVersion = old.metadata.resourceVersion;
    });
    if (sameButTimes(object, old)) return ok(old);
    if (operation.dryRun) return ok(object);
    const gone = isGone(type, object, old);
    const committed = this.options.store.commit({
      resource: type.storage,
      key: keyOf(old.metadata.namespace, name),
      expected: entry,
      object: gone ? undefined : object,
    });
    if (committed === undefined) return conditional && options.derived !== true ? err(conflict(type, name)) : undefined;
    await this.options.store.flushed();
    return ok(gone ? object : committed.object);
  }

  async #mutate(operation: Operation, object: KubeObject, old: KubeObject | undefined): Promise<Outcome> {
    const reinvocation: Reinvocation = { wanted: false, second: false, notes: new Map() };
    const first = await this.#mutateOnce({ ...operation, object, old, reinvocation });
    if (!first.ok || !reinvocation.wanted) return first;
    reinvocation.second = true;
    return this.#mutateOnce({ ...operation, object: first.value, old, reinvocation });
  }

  async #mutateOnce(attributes: Attributes & { readonly object: KubeObject }): Promise<Outcome> {
    let current = attributes.object;
    for (const step of this.options.admission) {
      if (step.mutate === undefined) continue;
      const outcome = await step.mutate({ ...attributes, object: current });
      if (!outcome.ok) return outcome;
      current = outcome.value;
    }
    return ok(current);
  }

  async #validate(attributes: Attributes): Promise<StatusError | undefined> {
    for (const step of this.options.admission) {
      const refused = await step.validate?.(attributes);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  /** Runs admission for something that is not a stored object's write: a deletion, an eviction, a connection. */
  async admit(attributes: Attributes): Promise<StatusError | undefined> {
    for (const step of this.options.admission) {
      const refused = await step.admit?.(attributes);
      if (refused !== undefined) return refused;
    }
    return this.#validate(attributes);
  }
}

/** Where kube-apiserver keeps an object: CRDs and custom resources by group, the other kinds by their plural. */
function registryKey(type: ResourceType, object: KubeObject): string {
  const folder = type.definition === undefined ? type.plural : `${type.group}/${type.plural}`;
  return `/registry/${folder}/${keyOf(object.metadata.namespace, object.metadata.name)}`;
}

/** Both kinds of events are one, without a group. */
function kindOf(type: ResourceType): { readonly group: string; readonly kind: string } {
  return type.storage === '/events' ? { group: '', kind: 'Event' } : type;
}

/** A name that is taken, perhaps by an object that is about to go. Source: kubernetes@1.34 registry/generic/registry/store.go Create. */
function taken(type: ResourceType, name: string, holder: KubeObject | undefined): StatusError {
  const error = alreadyExists(type, name);
  if (holder?.metadata.deletionTimestamp === undefined) return error;
  return { ...error, message: `object is being deleted: ${error.message}` };
}

/** The last finalizer went from an object that is being deleted: the update is its deletion. */
export function isGone(type: ResourceType, object: KubeObject, old: KubeObject): boolean {
  if (old.metadata.deletionTimestamp === undefined) return false;
  if ((object.metadata.finalizers ?? []).length > 0) return false;
  if (type.storage === '/namespaces') {
    const finalizers = object.spec?.['finalizers'];
    return !Array.isArray(finalizers) || finalizers.length === 0;
  }
  return (object.metadata.deletionGracePeriodSeconds ?? 0) === 0;
}

/** An update that changes nothing keeps the version; the times of managedFields entries alone are no change. */
function sameButTimes(a: KubeObject, b: KubeObject): boolean {
  if (equal(json(a), json(b))) return true;
  const [withoutA, withoutB] = [a, b].map((object) =>
    withMeta(object, (meta) => {
      meta.managedFields = meta.managedFields?.map(({ time: _time, ...rest }) => rest as never);
    }),
  );
  return equal(json(withoutA as KubeObject), json(withoutB as KubeObject));
}

/** Checks what a URL and a body say about the same object. Source: kubernetes@1.34 apiserver/pkg/endpoints/handlers/{create,update}.go. */
export function checkIdentity(
  type: ResourceType,
  object: KubeObject,
  namespace: string | undefined,
  name: string | undefined,
): StatusError | undefined {
  const { metadata } = object;
  if (name !== undefined && name !== '') {
    if (metadata.name !== undefined && metadata.name !== '' && metadata.name !== name)
      return badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  if (
    type.namespaced &&
    metadata.namespace !== undefined &&
    metadata.namespace !== '' &&
    metadata.namespace !== namespace
  )
    return badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return undefined;
}
