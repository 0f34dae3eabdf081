import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { json } from './draft.ts';
import { createdAtPrinter, printerOf } from './printers/builtin.ts';
import type { Printer } from './printers/printer.ts';
import type { ResourceType } from './resource-type.ts';

export interface TableOptions {
  readonly meta: JsonObject;
  readonly version: string;
  /** `None`, `Metadata` (the default) or `Object`. */
  readonly include: string;
  readonly columns: boolean;
}

/** Prints objects as rows, as `kubectl get` shows them. */
export class TablePrinter {
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  table(type: ResourceType, objects: readonly KubeObject[], options: TableOptions): Json {
    const printer: Printer = printerOf(type);
    return {
      kind: 'Table',
      apiVersion: options.version,
      metadata: options.meta,
      columnDefinitions: options.columns ? (printer.columns as unknown as Json) : null,
      rows:
        objects.length === 0 && printer === createdAtPrinter
          ? null
          : objects.map((object) => {
              const cells = printer.cells(json(object), this.#now());
              return { ...cells, object: this.#object(object, options) } as unknown as Json;
            }),
    };
  }

  #object(object: KubeObject, { include, version }: TableOptions): Json {
    if (include === 'Object') return json(object);
    if (include === 'None') return null;
    return { kind: 'PartialObjectMetadata', apiVersion: version, metadata: object.metadata as unknown as Json };
  }
}
