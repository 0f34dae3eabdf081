import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { KubeObject } from '../api/object.ts';
import { field, isArray, isObject, type Json, stringAt } from '../base/json.ts';
import { printYamlError } from '../engine/yaml/error.ts';
import { parseYamlDocuments } from '../engine/yaml/parse.ts';
import { restoreObjects } from './restore-objects.ts';
import { readSnapshot } from './store/disk.ts';
import { Store } from './store/store.ts';

/** Longest file of YAML or JSON that is read as a whole. */
const MAX_TEXT_BYTES = 256 * 1024 * 1024;

/**
 * Reads what a cluster shall hold: a snapshot, or objects as YAML or JSON (documents, Lists of them, as `kubectl get -o yaml` prints),
 * which are kept whole (see `restoreObjects`).
 * @throws with the path and the cause when the file cannot be read, or is neither.
 */
export function readState(path: string): Store {
  const store = new Store();
  if (isBinary(path)) {
    readSnapshot(path, store);
    return store;
  }
  const parsed = parseYamlDocuments(readFileSync(path, 'utf8'));
  if (!parsed.ok) throw new Error(`${path}: ${printYamlError(parsed.error)}`);
  const restored = restoreObjects(store, parsed.value.flatMap(objectsOf));
  if (!restored.ok) throw new Error(`${path}: ${restored.error}`);
  if (restored.value === 0) throw new Error(`${path}: there is no object in it`);
  return store;
}

/** Every record of a snapshot begins with a short length in four bytes: no text has a NUL there. */
function isBinary(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    if (fstatSync(file).size > MAX_TEXT_BYTES) return true;
    const head = Buffer.alloc(4);
    return readSync(file, head, 0, 4, 0) === 4 && head.includes(0);
  } finally {
    closeSync(file);
  }
}

/** An object, or the items of a List. */
function objectsOf(document: Json): readonly KubeObject[] {
  const items = (stringAt(document, 'kind') ?? '').endsWith('List') ? field(document, 'items') : null;
  return (isArray(items) ? items : [document]).map((object) =>
    isObject(object) ? (object as unknown as KubeObject) : ({ metadata: {} } as KubeObject),
  );
}
