/** A change of one object: what the cluster has, and what the files have now. */
export interface DiffCase {
  readonly before: object;
  readonly after: object;
  /** Why the bodies differ. */
  readonly differs?: string;
}

const configMap = (data: object, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data,
});
const secret = (texts: Readonly<Record<string, string>>): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {},
  data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
});
/** A custom resource without a schema: any structure at all. */
const widget = (spec: object): object => ({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: {}, spec });
const deployment = (containers: readonly object[], replicas = 1): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {},
  spec: {
    replicas,
    selector: { matchLabels: { app: 'a' } },
    template: { metadata: { labels: { app: 'a' } }, spec: { containers } },
  },
});
const container = (name: string, extra: object = {}): object => ({
  name,
  image: `registry.example/${name}:1`,
  ...extra,
});
const long = (letter: string): string => `${letter.repeat(50)} ${letter.repeat(50)}`;

const QUOTES = 'a text that reads as a number or a bool is quoted, so that it is not taken for one';

/** Every sort of change that a diff can tell, by name. */
export const DIFFS: Readonly<Record<string, DiffCase>> = {
  'scalar-text': { before: configMap({ a: 'one' }), after: configMap({ a: 'two' }) },
  'entry-added': { before: configMap({ a: 'one' }), after: configMap({ a: 'one', b: 'two words', c: 'x:y' }) },
  'entry-removed': { before: configMap({ a: 'one', b: 'two' }), after: configMap({ a: 'one' }) },
  'entry-replaced': { before: configMap({ a: 'one', b: 'two' }), after: configMap({ a: 'one', c: 'three' }) },
  'entry-replaced-wide': { before: configMap({ b: long('b') }), after: configMap({ c: long('c') }) },
  'all-data-gone': { before: configMap({ a: 'one' }), after: { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} } },
  lines: { before: configMap({ t: 'one\ntwo\nthree\n' }), after: configMap({ t: 'one\n2\nthree\n' }) },
  'lines-scattered': {
    before: configMap({ t: 'a\nb\nc\nd\ne\nf\ng\n' }),
    after: configMap({ t: 'a\nB\nc\nd\nE\nf\ng\nh\n' }),
  },
  'lines-added': { before: configMap({ t: 'a\n' }), after: configMap({ t: 'a\nb\nc\n' }) },
  'lines-removed': { before: configMap({ t: 'a\nb\nc\n' }), after: configMap({ t: 'a\n' }) },
  'lines-no-end': { before: configMap({ t: 'a\nb' }), after: configMap({ t: 'a\nc' }) },
  'text-to-lines': { before: configMap({ t: 'a' }), after: configMap({ t: 'a\nb\n' }) },
  'spaces-only': { before: configMap({ t: 'a b\n' }), after: configMap({ t: 'a b\n\n' }) },
  'lines-added-as-entry': { before: configMap({ a: 'x' }), after: configMap({ a: 'x', t: 'one\ntwo\n' }) },
  labels: { before: configMap({}, { labels: { x: 'a' } }), after: configMap({}, { labels: { x: 'b', y: 'c' } }) },
  annotations: {
    before: configMap({}, { annotations: { 'example.com/x': 'a' } }),
    after: configMap({}, { annotations: { 'example.com/x': 'b' } }),
  },
  'annotations-first': { before: configMap({}), after: configMap({}, { annotations: { x: 'z' } }) },
  'secret-changed': { before: secret({ a: 'one', b: 'two' }), after: secret({ a: 'one', b: 'three' }) },
  'secret-added': { before: secret({ a: 'one' }), after: secret({ a: 'one', b: 'two' }) },
  'secret-removed': { before: secret({ a: 'one', b: 'two' }), after: secret({ a: 'one' }) },
  'secret-all': { before: secret({ a: 'one', b: 'two' }), after: secret({ b: 'three', c: 'four' }) },
  number: { before: widget({ n: 1 }), after: widget({ n: 2 }) },
  fraction: { before: widget({ n: 1.5 }), after: widget({ n: 2.25 }) },
  'number-kind': { before: widget({ n: 1 }), after: widget({ n: 1.5 }) },
  bool: { before: widget({ n: true }), after: widget({ n: false }) },
  'number-to-text': { before: widget({ n: 1 }), after: widget({ n: 'one' }) },
  'text-to-number': { before: widget({ n: '1' }), after: widget({ n: 1 }), differs: QUOTES },
  'text-like-a-bool': { before: configMap({}), after: configMap({ a: 'yes' }), differs: QUOTES },
  'map-to-list': { before: widget({ n: { a: 1 } }), after: widget({ n: [1, 2] }) },
  'list-to-text': { before: widget({ n: [1] }), after: widget({ n: 'x' }) },
  'map-to-text': { before: widget({ n: { a: { b: 1 } } }), after: widget({ n: 'x' }) },
  'empty-map': { before: widget({ n: { a: 1 } }), after: widget({ n: {} }) },
  'empty-list': { before: widget({ n: ['a'] }), after: widget({ n: [] }) },
  'list-entry-of-one': { before: widget({ n: ['a'] }), after: widget({ n: ['b'] }) },
  'list-added': { before: widget({ n: ['a', 'b'] }), after: widget({ n: ['a', 'b', 'c'] }) },
  'list-removed': { before: widget({ n: ['a', 'b', 'c'] }), after: widget({ n: ['a', 'c'] }) },
  'list-replaced': { before: widget({ n: ['a', 'b', 'c'] }), after: widget({ n: ['a', 'x', 'c'] }) },
  'list-order': { before: widget({ n: ['a', 'b', 'c'] }), after: widget({ n: ['c', 'a', 'b'] }) },
  'list-order-long': {
    before: widget({ n: [long('a'), long('b')] }),
    after: widget({ n: [long('b'), long('a')] }),
  },
  'list-order-and-more': { before: widget({ n: ['a', 'b', 'c'] }), after: widget({ n: ['c', 'a', 'd', 'e'] }) },
  'list-twice': { before: widget({ n: ['a', 'a', 'b'] }), after: widget({ n: ['a', 'b', 'b'] }) },
  'list-numbers': { before: widget({ n: [1, 2, 3] }), after: widget({ n: [1, 3, 4] }) },
  'list-of-maps': { before: widget({ n: [{ a: 1 }, { a: 2 }] }), after: widget({ n: [{ a: 1 }, { a: 3 }] }) },
  'list-of-lists': {
    before: widget({
      n: [
        [1, 2],
        [3, 4],
      ],
    }),
    after: widget({
      n: [
        [1, 2],
        [3, 5],
      ],
    }),
  },
  'named-changed': {
    before: widget({
      n: [
        { name: 'a', v: 1 },
        { name: 'b', v: 2 },
      ],
    }),
    after: widget({
      n: [
        { name: 'a', v: 1 },
        { name: 'b', v: 3 },
      ],
    }),
  },
  'named-order': {
    before: widget({ n: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }),
    after: widget({ n: [{ name: 'c' }, { name: 'b' }, { name: 'a' }] }),
  },
  'named-all': {
    before: widget({ n: [{ name: 'a', v: 1 }, { name: 'b' }, { name: 'c' }] }),
    after: widget({ n: [{ name: 'c' }, { name: 'a', v: 2 }, { name: 'd', deep: { er: [1, { x: 'z' }] } }] }),
  },
  'named-by-key': {
    before: widget({
      n: [
        { key: 'a', v: 1 },
        { key: 'b', v: 2 },
      ],
    }),
    after: widget({
      n: [
        { key: 'a', v: 1 },
        { key: 'b', v: 3 },
      ],
    }),
  },
  'named-by-id': {
    before: widget({
      n: [
        { id: 1, v: 1 },
        { id: 2, v: 2 },
      ],
    }),
    after: widget({
      n: [
        { id: 1, v: 1 },
        { id: 2, v: 3 },
      ],
    }),
  },
  'named-twice': {
    before: widget({
      n: [
        { name: 'a', v: 1 },
        { name: 'a', v: 2 },
      ],
    }),
    after: widget({
      n: [
        { name: 'a', v: 1 },
        { name: 'a', v: 3 },
      ],
    }),
  },
  'named-in-part': {
    before: widget({ n: [{ name: 'a' }, { v: 2 }] }),
    after: widget({ n: [{ name: 'a' }, { v: 3 }] }),
  },
  'named-by-guess': {
    before: widget({ n: ['p', 'q', 'r', 's'].map((host) => ({ host, v: 1 })) }),
    after: widget({ n: ['p', 'q', 'r', 's'].map((host) => ({ host, v: host === 'q' ? 2 : 1 })) }),
  },
  'three-are-no-guess': {
    before: widget({ n: ['p', 'q', 'r'].map((host) => ({ host, v: 1 })) }),
    after: widget({ n: ['p', 'q', 'r'].map((host) => ({ host, v: host === 'q' ? 2 : 1 })) }),
  },
  'whole-objects': {
    before: widget({ n: ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'X', metadata: { name }, v: 1 })) }),
    after: widget({ n: ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'X', metadata: { name }, v: name })) }),
  },
  deep: {
    before: widget({ a: { b: { c: { d: [{ e: 1 }] } } } }),
    after: widget({ a: { b: { c: { d: [{ e: 2 }] } } } }),
  },
  'dots-in-keys': { before: widget({ 'a.b/c': { d: 1 } }), after: widget({ 'a.b/c': { d: 2 } }) },
  'reserved-words': { before: widget({ n: 'x' }), after: widget({ n: 'x', a: 'null', c: '-x', d: 'a&b', e: '*' }) },
  'replicas-and-image': {
    before: deployment([container('web')], 1),
    after: deployment([container('web', { image: 'registry.example/web:2' })], 3),
  },
  containers: {
    before: deployment([container('web', { args: ['--a', '--b'] }), container('side')]),
    after: deployment([container('web', { args: ['--a', '--c'], env: [{ name: 'X', value: 'z' }] }), container('new')]),
  },
};
