import { randomBytes } from 'node:crypto';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { sealedSecret, secretSealedWith, sharesOf } from '../../tests/support/sops-fixtures.ts';
import { memoryFiles } from '../base/files.ts';
import type { JsonObject } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { printYaml } from '../engine/yaml/print.ts';
import { NO_KEYS } from '../secrets/keys.ts';
import type { KeyServices } from '../secrets/services/key-services.ts';
import type { ServiceKey } from '../secrets/sops/metadata.ts';
import { build } from './build.ts';
import { buildWithServices } from './build-with-services.ts';
import type { Builder } from './builder.ts';

const request = { path: '', rootPath: '/tmp/k', spec: {}, decryption: NO_KEYS };
const signal = new AbortController().signal;

/** Services whose keys are opened by name: `enc` of a file is such a name. */
function servicesOf(keys: Readonly<Record<string, Uint8Array>>): KeyServices & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    identity: '',
    open({ encrypted }: ServiceKey): Promise<Result<Uint8Array, string>> {
      asked.push(encrypted);
      const key = keys[encrypted];
      return Promise.resolve(key === undefined ? err(`no ${encrypted}`) : ok(key));
    },
  };
}

const kms = (enc: string): JsonObject => ({ arn: `arn:aws:kms:eu-west-1:1:key/${enc}`, enc, created_at: 'x' });
const vault = (enc: string): JsonObject => ({
  vault_address: 'https://vault.example',
  engine_path: 'transit',
  key_name: enc,
  enc,
});

async function run(
  files: Readonly<Record<string, JsonObject | string>>,
  services: KeyServices | undefined,
  decryption = NO_KEYS,
) {
  let rounds = 0;
  const texts = Object.entries(files).map(([path, file]) => [path, typeof file === 'string' ? file : printYaml(file)]);
  const tree = memoryFiles(Object.fromEntries(texts) as Record<string, string>);
  const builder: Builder = {
    build: (_directory, wanted) => {
      rounds++;
      return build(tree, wanted);
    },
    close: () => Promise.resolve(),
  };
  const built = await buildWithServices(builder, '', { ...request, decryption }, services, signal);
  return { text: built.ok ? built.value.yaml : built.error.message, code: built.ok ? 'ok' : built.error.code, rounds };
}

describe('a build whose files need keys of services', () => {
  it('has the keys of all its files opened at once, and each of them once', async () => {
    const [one, two] = [randomBytes(32), randomBytes(32)];
    const services = servicesOf({ one, two });
    const { text, rounds } = await run(
      {
        'kustomization.yaml': 'resources: [a.yaml, b.yaml, c.yaml]\n',
        'a.yaml': secretSealedWith('a', { v: 'first' }, one, { kms: [kms('one')] }),
        'b.yaml': secretSealedWith('b', { v: 'second' }, two, { hc_vault: [vault('two')] }),
        'c.yaml': secretSealedWith('c', { v: 'third' }, one, { kms: [kms('one')] }),
      },
      services,
    );
    for (const plain of ['first', 'second', 'third']) expect(text).toContain(`v: ${plain}`);
    expect(services.asked.sort()).toEqual(['one', 'two']);
    expect(rounds).toBe(2);
  });

  it('has those of generators opened before those of objects', async () => {
    const [one, two] = [randomBytes(32), randomBytes(32)];
    const services = servicesOf({ one, two });
    const { text, rounds } = await run(
      {
        'kustomization.yaml':
          'resources: [b.yaml]\nsecretGenerator:\n- {name: g, files: [a.yaml, plain.yaml], options: {disableNameSuffixHash: true}}\n',
        'a.yaml': secretSealedWith('a', { v: 'first' }, one, { kms: [kms('one')] }),
        'plain.yaml': 'x: y\n',
        'b.yaml': secretSealedWith('b', { v: 'second' }, two, { kms: [kms('two')] }),
      },
      services,
    );
    expect(text).toContain('v: second');
    const [, encoded = ''] = /a\.yaml: \|\n((?: {4}.*\n)+)/.exec(text) ?? [];
    expect(Buffer.from(encoded, 'base64').toString()).toContain('v: first');
    expect(rounds).toBe(3);
  });

  it('asks in the order of sops, and no more than it needs', async () => {
    const key = randomBytes(32);
    const keys = { hc_vault: [vault('v')], kms: [kms('k1'), kms('k2'), kms('k3')] };
    const files = { 'a.yaml': secretSealedWith('a', { v: 'x' }, key, keys) };
    const services = servicesOf({ k2: key, v: key });
    expect((await run(files, services)).text).toContain('v: x');
    expect(services.asked).toEqual(['k1', 'k2']);
    const last = servicesOf({ v: key });
    expect((await run(files, last)).text).toContain('v: x');
    expect(last.asked).toEqual(['k1', 'k2', 'k3', 'v']);
  });

  it('asks no service where an age key at hand opens the file', async () => {
    const identity = await generateX25519Identity();
    const sealed = await sealedSecret('a', { v: 'x' }, [await identityToRecipient(identity)]);
    const both = { ...sealed, sops: { ...(sealed['sops'] as JsonObject), kms: [kms('k')] } };
    const services = servicesOf({});
    expect((await run({ 'a.yaml': both }, services, { age: [identity], pgp: [] })).text).toContain('v: x');
    expect(services.asked).toEqual([]);
  });

  it('joins the shares of groups of several types', async () => {
    const key = randomBytes(32);
    const [a, b, c] = sharesOf(key) as [Uint8Array, Uint8Array, Uint8Array];
    const groups = [{ kms: [kms('a')] }, { hc_vault: [vault('b')] }, { gcp_kms: [{ resource_id: 'c', enc: 'c' }] }];
    const files = { 'a.yaml': secretSealedWith('a', { v: 'x' }, key, { key_groups: groups, shamir_threshold: 2 }) };
    expect((await run(files, servicesOf({ a, b, c }))).text).toContain('v: x');
    expect((await run(files, servicesOf({ b, c }))).text).toContain('v: x');
    const { text, code } = await run(files, servicesOf({ c }));
    expect(code).toBe('build');
    expect(text).toContain('Group 0: FAILED');
    expect(text).toContain('Group 2: SUCCESS');
  });

  it('fails in the words of sops, with each key and what its service said', async () => {
    const keys = {
      kms: [{ ...kms('k'), role: 'arn:aws:iam::1:role/r', context: { b: '2', a: '1' } }],
      hc_vault: [vault('v')],
    };
    const file = secretSealedWith('a', { v: 'x' }, randomBytes(32), keys);
    const { text, rounds } = await run({ 'a.yaml': file }, servicesOf({}));
    expect(text).toContain("decryption failed for 'Secret.v1.[noGrp]/a'");
    expect(text).toContain('arn:aws:kms:eu-west-1:1:key/k+arn:aws:iam::1:role/r|a:1,b:2: FAILED\n    - | no k');
    expect(text).toContain('https://vault.example/v1/transit/keys/v: FAILED\n    - | no v');
    expect(rounds).toBe(2);
  });

  it('tells another failure of the build as if no key had been needed', async () => {
    const key = randomBytes(32);
    const files = {
      'kustomization.yaml': 'resources: [a.yaml, b.yaml]\n',
      'a.yaml': secretSealedWith('a', { v: 'x' }, key, { kms: [kms('k')] }),
      'b.yaml': { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'b' }, sops: { mac: 'x' } },
    };
    expect((await run(files, servicesOf({ k: key }))).text).toContain("decryption failed for 'Secret.v1.[noGrp]/b'");
  });

  it('is refused where no service may be asked', async () => {
    const file = secretSealedWith('a', { v: 'x' }, randomBytes(32), { kms: [kms('k')] });
    expect((await run({ 'a.yaml': file }, undefined)).text).toContain('keys of type kms are not supported here');
  });

  it('is given up when it needs keys without end', async () => {
    const many = Array.from({ length: 1_200 }, (_, index) => kms(`k${index}`));
    const file = secretSealedWith('a', { v: 'x' }, randomBytes(32), { kms: many });
    const services = servicesOf({});
    expect(await run({ 'a.yaml': file }, services)).toMatchObject({
      code: 'limit',
      text: 'kustomize build failed: its encrypted files need more than 1000 keys of services',
    });
    expect(services.asked).toHaveLength(1_000);
  });

  it('ends with the engine', async () => {
    const stop = new AbortController();
    const services: KeyServices = {
      identity: '',
      open: () => {
        stop.abort();
        return Promise.resolve(err('ended'));
      },
    };
    const tree = memoryFiles({
      'a.yaml': printYaml(secretSealedWith('a', { v: 'x' }, randomBytes(32), { kms: [kms('k')] })),
    });
    const builder = {
      build: (_: string, wanted: typeof request) => build(tree, wanted),
      close: () => Promise.resolve(),
    };
    await expect(buildWithServices(builder, '', request, services, stop.signal)).rejects.toThrow('aborted');
  });
});
