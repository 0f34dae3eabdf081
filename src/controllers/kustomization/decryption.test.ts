import { Buffer } from 'node:buffer';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import { sealedSecret } from '../../../tests/support/sops-fixtures.ts';
import type { KubeObject } from '../../api/object.ts';
import { at, type Json } from '../../base/json.ts';
import { printYaml } from '../../engine/yaml/print.ts';

let engine: TestEngine;
let identity = '';
let recipient = '';

const app = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'default', name: 'app' };
const secretOf = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', namespace: 'default', name });

beforeEach(async () => {
  engine = await startTestEngine();
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});
afterEach(() => engine.stop());

async function file(name: string, value: string, to = recipient): Promise<string> {
  return printYaml(await sealedSecret(name, { value }, [to]));
}

async function putKeys(key: string): Promise<void> {
  const labels = { 'reconcile.fluxcd.io/watch': 'Enabled' };
  const metadata = { name: 'keys', namespace: 'default', labels };
  const data = { 'k.agekey': Buffer.from(key).toString('base64') };
  await engine.client.apply({ apiVersion: 'v1', kind: 'Secret', metadata, data } as never, {
    fieldManager: 'test',
    force: true,
  });
}

async function start(decryption: Json = { provider: 'sops', secretRef: { name: 'keys' } }): Promise<void> {
  const spec = { interval: '1h', retryInterval: '1h', prune: true, path: './', targetNamespace: 'default' };
  const sourceRef = { kind: 'GitRepository', name: 'repo' };
  const { apiVersion, kind } = app;
  await engine.apply({ apiVersion, kind, metadata: { name: 'app' }, spec: { ...spec, sourceRef, decryption } });
}

function ready(object: KubeObject | undefined): { readonly status: string; readonly message: string } | undefined {
  const conditions = (object?.status?.['conditions'] ?? []) as { type: string; status: string; message: string }[];
  return conditions.find(({ type }) => type === 'Ready');
}

const isReady = (status: string) => (object: KubeObject | undefined) => ready(object)?.status === status;

function valueOf(object: KubeObject | undefined): string {
  return Buffer.from(at(object as unknown as Json, 'data', 'value') as string, 'base64').toString();
}

it('decrypts with the right key as soon as the Secret has it', async () => {
  await putKeys(await generateX25519Identity());
  await engine.publish('repo', 'main@sha1:a', { 's.yaml': await file('s', 'open') });
  await start();
  const failed = await engine.until(app, isReady('False'));
  expect(ready(failed)?.message).toContain('identity did not match any of the recipients');
  await putKeys(identity);
  await engine.until(app, isReady('True'));
  expect(valueOf(await engine.until(secretOf('s'), () => true))).toBe('open');
});

it('B15: neither applies nor prunes anything when one file of a commit cannot be decrypted', async () => {
  await putKeys(identity);
  await engine.publish('repo', 'main@sha1:a', { 'a.yaml': await file('a', 'one'), 'b.yaml': await file('b', 'two') });
  await start();
  await engine.until(app, isReady('True'));
  const stranger = await identityToRecipient(await generateX25519Identity());
  await engine.publish('repo', 'main@sha1:b', {
    'a.yaml': await file('a', 'changed'),
    'c.yaml': await file('c', 'x', stranger),
  });
  const failed = await engine.until(app, isReady('False'));
  expect(ready(failed)?.message).toContain("decryption failed for 'Secret.v1.[noGrp]/c'");
  expect(at(failed?.status, 'inventory', 'entries')).toHaveLength(2);
  expect(valueOf(await engine.until(secretOf('a'), () => true))).toBe('one');
  expect(valueOf(await engine.until(secretOf('b'), () => true))).toBe('two');
  expect(await engine.client.get(secretOf('c'))).toMatchObject({ ok: false, error: { code: 404 } });
});

it('B15: refuses cipher text whose metadata is gone, with and without keys', async () => {
  await putKeys(identity);
  const text = (await file('s', 'open')).replace(/^sops:\n(?: .*\n)+/m, '');
  expect(text).not.toContain('sops');
  await engine.publish('repo', 'main@sha1:a', { 's.yaml': text });
  await start();
  const failed = await engine.until(app, isReady('False'));
  expect(ready(failed)?.message).toContain('Secret/default/s is SOPS encrypted');
  expect(await engine.client.get(secretOf('s'))).toMatchObject({ ok: false, error: { code: 404 } });
});

it.each([
  ['garbage', "failed to import 'k.agekey' data from sops decryption Secret 'default/keys'"],
  [undefined, 'secrets "keys" not found'],
])('says what is wrong with keys of %s', async (key, message) => {
  if (key !== undefined) await putKeys(key);
  await engine.publish('repo', 'main@sha1:a', { 's.yaml': await file('s', 'open') });
  await start();
  expect(ready(await engine.until(app, isReady('False')))?.message).toContain(message);
});
