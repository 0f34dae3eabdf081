import type { KubeObject } from '../../api/object.ts';
import { at, parseJson, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { Store } from '../store/store.ts';
import type { ResourceType } from './resource-type.ts';
import { matches, parseSelection } from './selection.ts';
import type { Cause } from './status.ts';
import { badRequest, expired, forbiddenField, invalid, tooLargeVersion, unsupported } from './status.ts';

export interface Listing {
  readonly items: readonly KubeObject[];
  readonly revision: number;
  readonly continue?: string;
  readonly remaining?: number;
}

interface Position {
  readonly revision: number;
  readonly start: string;
}

/** Options of a list that contradict one another. Source: kubernetes@1.34 apimachinery/pkg/apis/internalversion/validation. */
export function validateListOptions(query: URLSearchParams, watch: boolean): readonly Cause[] {
  const match = query.get('resourceVersionMatch') ?? '';
  const version = query.get('resourceVersion') ?? '';
  const initial = query.get('sendInitialEvents');
  const causes: Cause[] = [];
  const onlyOnce = (): Cause =>
    forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided');
  const continued = (query.get('continue') ?? '') !== '';
  if (watch) {
    if (initial !== null && match !== 'NotOlderThan')
      causes.push(
        forbiddenField(
          'resourceVersionMatch',
          'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
        ),
      );
    if (match !== '' && initial === null)
      causes.push(
        forbiddenField(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
      );
    if (match !== '' && match !== 'NotOlderThan')
      causes.push(unsupported('resourceVersionMatch', match, ['NotOlderThan']));
    if (continued) causes.push(onlyOnce());
    return causes;
  }
  if (match !== '') {
    if (version === '')
      causes.push(
        forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
      );
    if (continued) causes.push(onlyOnce());
    if (match !== 'Exact' && match !== 'NotOlderThan')
      causes.push(unsupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && version === '0')
      causes.push(
        forbiddenField('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
      );
  }
  if (initial !== null) causes.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  return causes;
}

export const LIST_OPTIONS = { group: 'meta.k8s.io', kind: 'ListOptions' };

/** A resourceVersion given by a client; undefined for none. */
export function parseVersion(text: string | null): Result<number | undefined, string> {
  if (text === null || text === '') return ok(undefined);
  if (!/^\d+$/.test(text) || BigInt(text) > 2n ** 64n - 1n) {
    const why = /^\d+$/.test(text) ? 'value out of range' : 'invalid syntax';
    return err(
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`,
    );
  }
  return ok(Number(text));
}

/** The objects that a LIST names, in key order. Source: kubernetes@1.34 apiserver/pkg/storage/etcd3/store.go GetList. */
export function list(
  store: Store,
  type: ResourceType,
  namespace: string | undefined,
  query: URLSearchParams,
): Result<Listing, StatusError> {
  const causes = validateListOptions(query, false);
  if (causes.length > 0) return err(invalid(LIST_OPTIONS, '', causes));
  const selection = parseSelection(type, query);
  if (!selection.ok) return selection;
  const limit = Number(query.get('limit') ?? 0);
  const asked = parseVersion(query.get('resourceVersion'));
  if (!asked.ok) return err(badRequest(`invalid resource version: ${asked.error}`));
  const prefix = namespace === undefined ? '' : `${namespace}/`;
  const token = query.get('continue') ?? '';
  let revision = store.revision;
  let start = '';
  if (token !== '') {
    if (asked.value !== undefined && asked.value !== 0)
      return err(badRequest('specifying resource version is not allowed when using continue'));
    const position = decodeContinue(token);
    if (!position.ok) return err(badRequest(`invalid continue token: ${position.error}`));
    if (position.value.revision > store.revision) return err(tooLargeVersion(position.value.revision, store.revision));
    revision = position.value.revision < 0 ? store.revision : position.value.revision;
    start = prefix + position.value.start;
  } else if (asked.value !== undefined) {
    if (asked.value > store.revision) return err(tooLargeVersion(asked.value, store.revision));
    const exact = query.get('resourceVersionMatch') === 'Exact';
    // With a limit and no match rule a version means exactly that version. (storage/interfaces.go, ListOptions)
    if (exact || (limit > 0 && asked.value !== 0 && query.get('resourceVersionMatch') === null)) revision = asked.value;
  }
  const all = snapshot(store, type, prefix, revision);
  if (all === undefined) {
    return token === ''
      ? err(expired(`The resourceVersion for the provided list is too old.`))
      : err({
          ...expired(
            'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
          ),
          details: { continue: encodeContinue({ revision: -1, start: start.slice(prefix.length) }) },
        });
  }
  const items: KubeObject[] = [];
  for (const [index, { key, object }] of all.entries()) {
    if (key < start) continue;
    if (limit > 0 && items.length === limit) {
      const last = all[index - 1]?.key ?? '';
      return ok({
        items,
        revision,
        continue: encodeContinue({ revision, start: `${last.slice(prefix.length)}\0` }),
        // The count is only cheap, and only given, when nothing is filtered.
        ...(selection.value.empty ? { remaining: all.length - index } : {}),
      });
    }
    if (matches(selection.value, object)) items.push(object);
  }
  return ok({ items, revision });
}

function snapshot(
  store: Store,
  type: ResourceType,
  prefix: string,
  revision: number,
): readonly { readonly key: string; readonly object: KubeObject }[] | undefined {
  if (revision < store.revision) return store.listAt(type.storage, prefix, revision);
  const keys = store.keys(type.storage, prefix);
  const objects = store.list(type.storage, prefix);
  return keys.map((key, index) => ({ key, object: objects[index] as KubeObject }));
}

function encodeContinue({ revision, start }: Position): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url');
}

function decodeContinue(token: string): Result<Position, string> {
  const bad = /[^A-Za-z0-9_-]/.exec(token);
  // Go's raw URL encoding refuses a length of 4n+1 at the byte that is one too many.
  const stray = bad?.index ?? (token.length % 4 === 1 ? token.length - 1 : undefined);
  if (stray !== undefined) return err(`continue key is not valid: illegal base64 data at input byte ${stray}`);
  let value: ReturnType<typeof parseJson>;
  try {
    value = parseJson(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    return err(`continue key is not valid: illegal base64 data at input byte ${Math.max(0, token.length - 1)}`);
  }
  const version = stringAt(value, 'v') ?? '';
  if (version !== 'meta.k8s.io/v1')
    return err(`continue key is not valid: server does not recognize this encoded version ${version}`);
  const revision = at(value, 'rv');
  if (typeof revision === 'number' && !Number.isSafeInteger(revision))
    return err(
      `continue key is not valid: json: cannot unmarshal number ${revision} into Go struct field continueToken.rv of type int64`,
    );
  if (typeof revision !== 'number' || revision === 0)
    return err('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  const start = stringAt(value, 'start') ?? '';
  if (start === '') return err('continue key is not valid: no start key');
  if (start.includes('..')) return err(`continue key is not valid: ${start}`);
  return ok({ revision, start });
}
