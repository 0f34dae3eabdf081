import { type KubeObject, printRef, refOf } from '../../api/object.ts';
import { ok, type Result } from '../../base/result.ts';
import { type DiffOptions, diffObject } from './object-diff.ts';
import { printChanges } from './print-changes.ts';

/** What would happen, as text, and whether that is anything. */
export interface Told {
  readonly text: string;
  readonly changed: boolean;
}

export const NOTHING: Told = { text: '', changed: false };

/** Tells what applying one object would do to it; `columns` is how wide a line may be. An error is worded as Flux does. */
export async function tellObject(
  object: KubeObject,
  options: DiffOptions,
  columns: number,
): Promise<Result<Told, string>> {
  const found = await diffObject(object, options);
  if (!found.ok) return found;
  const { action } = found.value;
  if (action === 'unchanged') return ok(NOTHING);
  const head = `► ${printRef(refOf(object))} ${action}\n`;
  const body = found.value.action === 'drifted' ? printChanges(found.value.changes, columns) : '';
  return ok({ text: head + body, changed: action !== 'skipped' });
}
