import type { KubeObject } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { FieldSet } from '../../engine/merge/fields.ts';
import type { ApplyError, ManagedFieldsContext } from '../../engine/merge/managed-fields.ts';
import { applyServerSide, resetFieldsOf, trackUpdate } from '../../engine/merge/managed-fields.ts';
import { resolveBuiltin } from '../data/builtins.ts';
import type { StatusError } from '../registry.ts';
import type { Codec } from './codec.ts';
import { json, kube } from './draft.ts';
import type { Operation } from './operation.ts';
import type { ResourceTable } from './resource-table.ts';
import type { ResourceType } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';

/** Keeps `metadata.managedFields`: who owns which field. */
export class ManagedFields {
  readonly #table: ResourceTable;
  readonly #codec: Codec;

  constructor(table: ResourceTable, codec: Codec) {
    this.#table = table;
    this.#codec = codec;
  }

  #context(operation: Operation, time: string): ManagedFieldsContext {
    const { type, subresource } = operation;
    const reset = resetFields(type, subresource);
    return {
      schema: this.#codec.schema(type),
      resolve: resolveBuiltin,
      apiVersion: apiVersionOf(type),
      time,
      ...(subresource === undefined ? {} : { subresource }),
      ...(reset === undefined ? {} : { resetFields: reset }),
      ...(type.definition === undefined ? { empty: json(this.#codec.empty(type)) } : {}),
      convert: (object: JsonObject, apiVersion: string) => {
        const other = this.#table.versionsOf(type.storage).find((candidate) => apiVersionOf(candidate) === apiVersion);
        if (other === undefined) return undefined;
        const stored = this.#codec.toStorage(type, kube(object));
        return { object: json(this.#codec.fromStorage(other, stored)), schema: this.#codec.schema(other) };
      },
    };
  }

  /** After a create (no `old`) or an update that is not a server-side apply; both objects are in the storage version. */
  update(operation: Operation, old: KubeObject | undefined, object: KubeObject, time: string): KubeObject {
    const { type, manager } = operation;
    const before = old === undefined ? undefined : json(this.#codec.fromStorage(type, old));
    const after = json(this.#codec.fromStorage(type, object));
    const tracked = trackUpdate({ ...this.#context(operation, time), before, after, manager });
    return withManagers(object, tracked);
  }

  /** Server-side apply; `live` and the result are in the version of the request. */
  apply(
    operation: Operation,
    live: KubeObject | undefined,
    applied: KubeObject,
    force: boolean,
    time: string,
  ): Result<KubeObject, StatusError> {
    const result = applyServerSide({
      ...this.#context(operation, time),
      live: live === undefined ? undefined : json(live),
      applied: json(applied),
      manager: operation.manager,
      force,
    });
    return result.ok ? ok(kube(result.value.object)) : err(applyFailure(result.error));
  }
}

function withManagers(object: KubeObject, tracked: JsonObject): KubeObject {
  const managedFields = (tracked['metadata'] as JsonObject | undefined)?.['managedFields'];
  const { managedFields: _old, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: managedFields === undefined ? metadata : { ...metadata, managedFields: managedFields as never },
  };
}

/** Fields that the strategy takes from the stored object again, so that nobody owns them through this (sub)resource. */
function resetFields(type: ResourceType, subresource: string | undefined): FieldSet | undefined {
  if (!type.subresources.has('status')) return undefined;
  return subresource === 'status' ? resetFieldsOf('spec') : resetFieldsOf('status');
}

/** How a server-side apply that was refused is answered. */
export function applyFailure(error: ApplyError): StatusError {
  switch (error.code) {
    case 'conflict':
      return {
        code: 409,
        reason: 'Conflict',
        message: error.message,
        details: {
          causes: error.conflicts.map(({ manager, field }) => ({
            reason: 'FieldManagerConflict',
            message: `conflict with ${manager}`,
            field,
          })),
        },
      };
    case 'bad-request':
      return { code: 400, reason: 'BadRequest', message: error.message };
    case 'internal':
      return { code: 500, reason: '', message: error.message };
  }
}
