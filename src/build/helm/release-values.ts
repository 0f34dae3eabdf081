import type { JsonObject } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { attempt } from '../../engine/helm/failure.ts';
import { setValues } from '../../engine/helm/set-values.ts';
import { floats, mergeMaps, readFirstValues } from '../../engine/helm/values.ts';
import type { ReleaseSpec, ValuesReference } from './release-spec.ts';

/** What a reference to values leads to: a text, an object or a key that is not there, or nothing that can be told. */
export type FoundValues =
  | { readonly found: 'text'; readonly text: string }
  | { readonly found: 'nothing'; readonly what: 'resource' | 'key' }
  /** Left out on purpose: nobody can be asked, or it is encrypted. */
  | { readonly found: 'unknown' };

export type FindValues = (reference: ValuesReference) => Promise<Result<FoundValues, string>>;

/**
 * The values of a release: those of `valuesFrom` in their order, then its own over them. Errors are Flux's sentences, without what a text
 * holds.
 * Source: fluxcd/pkg chartutil@1.35 values.go.
 */
export async function releaseValues(release: ReleaseSpec, find: FindValues): Promise<Result<JsonObject, string>> {
  const own = floats(release.values) as JsonObject;
  let values: JsonObject = {};
  for (const reference of release.valuesFrom) {
    const found = await find(reference);
    if (!found.ok) return err(unresolved(release, reference, found.error));
    if (found.value.found === 'unknown') continue;
    if (found.value.found === 'nothing') {
      if (reference.optional) continue;
      return err(unresolved(release, reference, `${found.value.what} not found`));
    }
    const { text } = found.value;
    const next = attempt(() =>
      reference.targetPath === ''
        ? mergeMaps(values, readFirstValues(text))
        : replaced(mergeMaps(values, own), reference, text),
    );
    // What the parser says may quote the values.
    if (!next.ok) return err(unresolved(release, reference, 'the values cannot be read or merged'));
    values = next.value;
  }
  return ok(mergeMaps(values, own));
}

function unresolved({ namespace }: ReleaseSpec, reference: ValuesReference, reason: string): string {
  const optional = reference.optional ? ' optional' : '';
  const what = `could not resolve${optional} ${reference.kind} chart values reference '${namespace}/${reference.name}'`;
  return `${what} with key '${reference.key}': ${reason}`;
}

function replaced(values: JsonObject, { targetPath, literal }: ValuesReference, text: string): JsonObject {
  if (literal) return setValues(values, `${targetPath}=${text.replace(/[\\,[\]{}]/g, '\\$&')}`, 'string');
  const first = text.charAt(0);
  if ((first !== "'" && first !== '"') || !text.endsWith(first))
    return setValues(values, `${targetPath}=${text}`, 'typed');
  return setValues(values, `${targetPath}=${text.replace(/^['"]+|['"]+$/g, '')}`, 'string');
}
