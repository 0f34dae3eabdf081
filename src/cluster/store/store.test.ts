import {
  appendFileSync,
  fdatasync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KubeObject } from '../../api/object.ts';
import { exportSnapshot, importSnapshot, openStore } from './disk.ts';
import { Store } from './store.ts';

/** Only the disk's faults are made up: everything else goes to the real one. */
vi.mock('node:fs', async (load) => {
  const fs = await load<typeof import('node:fs')>();
  return {
    ...fs,
    writeSync: vi.fn<typeof fs.writeSync>(fs.writeSync),
    fdatasync: vi.fn<typeof fs.fdatasync>(fs.fdatasync),
  };
});
const real = await vi.importActual<typeof import('node:fs')>('node:fs');

function configMap(name: string, value = ''): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'd' }, data: { value } } as KubeObject;
}

function put(store: Store, name: string, value?: string): void {
  const key = `d/${name}`;
  const expected = store.get('/configmaps', key);
  expect(store.commit({ resource: '/configmaps', key, expected, object: configMap(name, value) })).toBeDefined();
}

function remove(store: Store, name: string): void {
  const key = `d/${name}`;
  store.commit({ resource: '/configmaps', key, expected: store.get('/configmaps', key), object: undefined });
}

const names = (objects: readonly KubeObject[]): readonly string[] => objects.map(({ metadata }) => metadata.name);

describe('the store', () => {
  it('gives every commit the next revision and stamps it on the object', () => {
    const store = new Store();
    const before = store.revision;
    put(store, 'a');
    put(store, 'b');
    expect(store.get('/configmaps', 'd/b')?.object.metadata.resourceVersion).toBe(String(before + 2));
  });

  it('refuses a write that was based on another state', () => {
    const store = new Store();
    put(store, 'a', '1');
    const read = store.get('/configmaps', 'd/a');
    put(store, 'a', '2');
    expect(
      store.commit({ resource: '/configmaps', key: 'd/a', expected: read, object: configMap('a', '3') }),
    ).toBeUndefined();
    expect(
      store.commit({ resource: '/configmaps', key: 'd/a', expected: undefined, object: configMap('a') }),
    ).toBeUndefined();
  });

  it('lists in key order, also as of an earlier revision', () => {
    const store = new Store();
    put(store, 'b', '1');
    put(store, 'a');
    const then = store.revision;
    put(store, 'b', '2');
    put(store, 'c');
    remove(store, 'a');
    expect(names(store.list('/configmaps'))).toEqual(['b', 'c']);
    const past = store.listAt('/configmaps', '', then) ?? [];
    expect(past.map(({ key }) => key)).toEqual(['d/a', 'd/b']);
    expect(past[1]?.object).toMatchObject({ data: { value: '1' } });
  });

  it('tells listeners in one order, also when one of them writes', () => {
    const store = new Store();
    const heard: string[] = [];
    store.listen('/configmaps', ({ key, revision }) => {
      if (key === 'd/a') put(store, 'b');
      heard.push(`first ${revision - 1}`);
    });
    store.listen('/configmaps', ({ revision }) => heard.push(`second ${revision - 1}`));
    put(store, 'a');
    expect(heard).toEqual(['first 1', 'second 1', 'first 2', 'second 2']);
  });

  it('keeps the history after a revision, and knows when it does not', () => {
    const store = new Store(100);
    put(store, 'a');
    remove(store, 'a');
    expect(store.window.after('/configmaps', 100, 10)?.map(({ type }) => type)).toEqual(['ADDED', 'DELETED']);
    expect(store.window.after('/configmaps', 101, 10)?.map(({ type }) => type)).toEqual(['DELETED']);
    expect(store.window.after('/configmaps', 99, 10)).toBeUndefined();
  });
});

describe('the store on disk', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weir-store-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('has everything again without having been closed', () => {
    const first = openStore(directory);
    put(first, 'a', 'x');
    put(first, 'gone');
    remove(first, 'gone');
    const second = openStore(directory);
    expect(names(second.list('/configmaps'))).toEqual(['a']);
    expect(second.revision).toBe(first.revision);
    expect(second.get('/configmaps', 'd/a')?.object).toEqual(first.get('/configmaps', 'd/a')?.object);
  });

  it('acknowledges writes by their group when they are on the disk', async () => {
    const store = openStore(directory);
    const acknowledged = [];
    for (let index = 0; index < 50; index++) {
      put(store, `n${index}`);
      acknowledged.push(store.flushed());
    }
    await Promise.all(acknowledged);
    expect(openStore(directory).count('/configmaps')).toBe(50);
    await store.close();
  });

  const logPath = (): string =>
    join(directory, readdirSync(directory).find((name) => name.startsWith('log-')) as string);
  const openMark = (): string => join(directory, 'open');

  it('F06: goes on with the next revision after a kill in the middle of a record', () => {
    const killed = openStore(directory);
    put(killed, 'a');
    appendFileSync(logPath(), Buffer.from([200, 0, 0, 0, 1, 2, 3]));
    const again = openStore(directory);
    expect(again.revision).toBe(killed.revision);
    expect(again.window.after('/configmaps', killed.revision - 1, 10)?.map(({ key }) => key)).toEqual(['d/a']);
    put(again, 'b');
    expect(names(openStore(directory).list('/configmaps'))).toEqual(['a', 'b']);
  });

  it.each([
    ['the machine went down with pages unwritten', (log: string) => truncateSync(log, statSync(log).size - 5)],
    ['zeros stand where the last write should be', (log: string) => appendFileSync(log, Buffer.alloc(4096))],
    ['the last writes are gone without a trace', () => undefined],
  ])('F06: never gives a revision again when %s', (_what, harm) => {
    const crashed = openStore(directory);
    put(crashed, 'a');
    put(crashed, 'b');
    harm(logPath());
    writeFileSync(openMark(), 'another boot');
    const again = openStore(directory);
    expect(again.revision).toBeGreaterThan(crashed.revision);
    // Who has seen what may be lost must not go on as if nothing had happened.
    expect(again.window.after('/configmaps', crashed.revision, 10)).toBeUndefined();
    put(again, 'c');
    expect(names(openStore(directory).list('/configmaps'))).toContain('c');
  });

  it('refuses a log that was changed in its middle, instead of losing what follows', async () => {
    const store = openStore(directory);
    put(store, 'a');
    put(store, 'b');
    await store.close();
    const bytes = readFileSync(logPath());
    bytes[20] = 0xff;
    writeFileSync(logPath(), bytes);
    expect(() => openStore(directory)).toThrow(/log-\d+ is damaged at byte 0$/);
    // A snapshot still replaces it, above every revision that was given out.
    const other = mkdtempSync(join(tmpdir(), 'weir-store-'));
    const file = join(other, 'file');
    await exportSnapshot(join(other, 'empty'), file);
    await importSnapshot(directory, file);
    expect(openStore(directory).revision).toBeGreaterThan(store.revision);
    rmSync(other, { recursive: true });
  });

  it('keeps the history right when the log is rolled while others write', async () => {
    const store = openStore(directory);
    put(store, 'gone');
    const from = store.revision;
    const roll = store.roll();
    put(store, 'new');
    remove(store, 'gone');
    await store.flushed();
    await roll;
    expect(readdirSync(directory)).toContain(`snapshot-${from}`);
    const again = openStore(directory);
    expect(again.window.after('/configmaps', from, 10)?.map(({ type, key }) => `${type} ${key}`)).toEqual([
      'ADDED d/new',
      'DELETED d/gone',
    ]);
  });

  it('comes back from a snapshot with revisions that do not go back', async () => {
    const store = openStore(directory);
    put(store, 'kept');
    await store.close();
    const file = join(directory, 'snapshot.file');
    await exportSnapshot(directory, file);
    const later = openStore(directory);
    put(later, 'lost');
    put(later, 'lost', '2');
    const { revision } = later;
    await later.close();
    const other = mkdtempSync(join(tmpdir(), 'weir-store-'));
    await importSnapshot(other, file);
    const restored = openStore(other);
    expect(names(restored.list('/configmaps'))).toEqual(['kept']);
    await importSnapshot(directory, file);
    expect(openStore(directory).revision).toBeGreaterThan(revision);
    rmSync(other, { recursive: true });
  });

  const fail = (code: string): never => {
    throw Object.assign(new Error(code), { code });
  };

  it.each([
    ['before a byte of it', 0],
    ['in its middle', 7],
  ])(
    'C12: takes back a record that a full disk cuts short %s, and goes on when there is space',
    async (_where, bytes) => {
      const store = openStore(directory);
      put(store, 'a');
      const { revision } = store;
      vi.mocked(writeSync)
        .mockImplementationOnce((file, data) =>
          bytes === 0 ? fail('ENOSPC') : real.writeSync(file, data as unknown as Uint8Array, 0, bytes),
        )
        .mockImplementationOnce(() => fail('ENOSPC'));
      expect(() => put(store, 'b')).toThrow('ENOSPC');
      expect([store.revision, store.count('/configmaps')]).toEqual([revision, 1]);
      vi.mocked(writeSync).mockReset().mockImplementation(real.writeSync);
      put(store, 'c');
      await store.flushed();
      expect(names(openStore(directory).list('/configmaps'))).toEqual(['a', 'c']);
      await store.close();
    },
  );

  it('C12: acknowledges nothing after a flush that failed, until the store is opened anew', async () => {
    const store = openStore(directory);
    put(store, 'a');
    await store.flushed();
    vi.mocked(fdatasync).mockImplementationOnce((_file, done) =>
      done(Object.assign(new Error('EIO'), { code: 'EIO' })),
    );
    put(store, 'b');
    await expect(store.flushed()).rejects.toThrow('EIO');
    expect(() => put(store, 'c')).toThrow('EIO');
    await expect(store.flushed()).rejects.toThrow('EIO');
    // What was acknowledged is there in any case.
    expect(names(openStore(directory).list('/configmaps'))).toContain('a');
  });

  it('C12: keeps the log when the disk is too full for a snapshot', async () => {
    const store = openStore(directory);
    put(store, 'a');
    vi.mocked(writeSync).mockImplementationOnce(() => fail('ENOSPC'));
    await expect(store.roll()).rejects.toThrow('ENOSPC');
    expect(readdirSync(directory).filter((name) => name.startsWith('snapshot'))).toEqual([]);
    put(store, 'b');
    await store.flushed();
    expect(names(openStore(directory).list('/configmaps'))).toEqual(['a', 'b']);
    await store.roll();
    put(store, 'c');
    await store.close();
    expect(names(openStore(directory).list('/configmaps'))).toEqual(['a', 'b', 'c']);
  });
});
