import { randomBytes } from 'node:crypto';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeAll, describe, expect, it } from 'vitest';
import { LAST_MODIFIED, seal, sealedSecret as sealed } from '../../tests/support/sops-fixtures.ts';
import { memoryFiles } from '../base/files.ts';
import { at, type JsonObject } from '../base/json.ts';
import { build } from '../build/build.ts';
import { printYaml } from '../engine/yaml/print.ts';
import { decryptObject } from './decrypt-object.ts';
import { isEncryptedSecret } from './encrypted-object.ts';
import { openKeyRing, parseAgeKeys, pgpKeyProblem } from './keys.ts';
import { decryptFile } from './sops/decrypt.ts';

let identity = '';
let recipient = '';
const LAST = LAST_MODIFIED;

beforeAll(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});

function sealedSecret(stringData: Record<string, string>, recipients = [recipient]): Promise<JsonObject> {
  return sealed('s', stringData, recipients);
}

function file(object: JsonObject): Uint8Array {
  return Buffer.from(printYaml(object));
}

const asYaml = { input: 'yaml', output: 'yaml', checkMac: true } as const;

describe('a file that sops encrypted', () => {
  it('comes out as it went in', async () => {
    const plain = await decryptFile(
      file(await sealedSecret({ a: 'one' })),
      openKeyRing({ age: [identity], pgp: [] }),
      asYaml,
    );
    expect(plain.ok && Buffer.from(plain.value).toString()).toContain('stringData:\n    a: one\n');
  });

  it('B15: is refused with a wrong key, by the name of its recipient', async () => {
    const other = await generateX25519Identity();
    const plain = await decryptFile(
      file(await sealedSecret({ a: 'one' })),
      openKeyRing({ age: [other], pgp: [] }),
      asYaml,
    );
    expect(plain).toMatchObject({
      ok: false,
      error: expect.stringMatching(/identity did not match any of the recipients/),
    });
    expect(JSON.stringify(plain)).toContain(recipient);
    expect(JSON.stringify(plain)).not.toContain(other);
  });

  it.each([
    [
      'a plain value changed',
      (text: string) => text.replace('name: s\n', 'name: t\n'),
      'failed to verify sops data integrity',
    ],
    ['a value moved', (text: string) => text.replace('  a: ', '  b: '), 'cipher: message authentication failed'],
    [
      'the MAC cut',
      (text: string) => text.replace(/ {2}mac: .*\n/, '  mac: ""\n'),
      'failed to verify sops data integrity',
    ],
    [
      'the time changed',
      (text: string) => text.replace(LAST, '2026-01-02T03:04:06Z'),
      'failed to verify sops data integrity',
    ],
    [
      'the rule changed so that the cipher text would pass as plain',
      (text: string) => text.replace('^(data|stringData)$', '^nothing$'),
      "the value of 'stringData.a' is encrypted, but the file's rules call it plain",
    ],
    [
      'no recipient',
      (text: string) => text.replace(/ {2}age:\n(?: {2}[- ] .*\n| {4}.*\n)+/, ''),
      'No keys found in file',
    ],
    ['no metadata', (text: string) => text.replace(/^sops:[\s\S]*/m, ''), 'sops metadata not found'],
  ])('B15: is refused with %s', async (_what, change, message) => {
    const text = Buffer.from(file(await sealedSecret({ a: 'one' }))).toString();
    const tampered = change(text);
    expect(tampered).not.toBe(text);
    const plain = await decryptFile(Buffer.from(tampered), openKeyRing({ age: [identity], pgp: [] }), asYaml);
    expect(plain).toMatchObject({ ok: false, error: expect.stringContaining(message) });
  });

  it('B15: opens with one key among 1000 recipients, and says no to none of them in bounded words', async () => {
    const secret = await sealedSecret({ a: 'one' });
    const [own] = at(secret, 'sops', 'age') as JsonObject[];
    const age = [
      ...Array.from({ length: 999 }, (_, index) => ({ recipient: `age1other${index}`, enc: 'x' })),
      own as JsonObject,
    ];
    const many = { ...secret, sops: { ...(secret['sops'] as JsonObject), age } };
    expect((await decryptFile(file(many), openKeyRing({ age: [identity], pgp: [] }), asYaml)).ok).toBe(true);
    const refused = await decryptFile(
      file(many),
      openKeyRing({ age: [await generateX25519Identity()], pgp: [] }),
      asYaml,
    );
    expect(refused.ok).toBe(false);
    expect(JSON.stringify(refused).length).toBeLessThan(10_000);
  });

  it('says which kinds of keys it cannot use', async () => {
    const secret = await sealedSecret({ a: 'one' });
    const kms = [{ arn: 'arn:aws:kms:x:1:key/k', enc: 'x', created_at: LAST }];
    const sops = { ...(secret['sops'] as JsonObject), age: [], kms };
    const plain = await decryptFile(file({ ...secret, sops }), openKeyRing({ age: [identity], pgp: [] }), asYaml);
    expect(plain).toMatchObject({ ok: false, error: expect.stringContaining('arn:aws:kms:x:1:key/k: FAILED') });
    expect(plain).toMatchObject({ ok: false, error: expect.stringContaining('keys of type kms are not supported') });
  });
});

describe('an object of a build', () => {
  it('is decrypted although the build has changed it since', async () => {
    const secret = await sealedSecret({ a: 'one' });
    const moved = { ...secret, metadata: { name: 'x-s', namespace: 'there' } };
    const plain = await decryptObject(moved, openKeyRing({ age: [identity], pgp: [] }));
    expect(plain).toEqual({
      ok: true,
      value: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'x-s', namespace: 'there' },
        stringData: { a: 'one' },
      },
    });
  });

  it('keeps large integers that are not encrypted', async () => {
    const secret = await sealedSecret({ a: 'one' });
    const plain = await decryptObject({ ...secret, big: 9007199254740993n }, openKeyRing({ age: [identity], pgp: [] }));
    expect(plain).toMatchObject({ ok: true, value: { big: 9007199254740993n } });
  });

  it('is left alone where it says so', async () => {
    const secret = await sealedSecret({ a: 'one' });
    const annotations = { 'kustomize.toolkit.fluxcd.io/decrypt': 'Disabled' };
    const object = { ...secret, metadata: { name: 's', annotations } };
    expect(await decryptObject(object, openKeyRing({ age: [], pgp: [] }))).toEqual({ ok: true, value: object });
    expect(isEncryptedSecret(object as never)).toBe(false);
  });

  it.each([
    ['stringData', (text: string) => ({ stringData: { a: text } })],
    ['data', (text: string) => ({ data: { a: Buffer.from(text).toString('base64') } })],
    ['data that was never encoded', (text: string) => ({ data: { a: text } })],
  ])('B15: is still encrypted when cipher text is left in its %s', async (_where, fields) => {
    const text = seal(randomBytes(32), 'one', 'x:');
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, ...fields(text) };
    expect(isEncryptedSecret(object as never)).toBe(true);
    expect(isEncryptedSecret({ ...object, kind: 'ConfigMap' } as never)).toBe(false);
  });
});

describe('a build with keys', () => {
  const request = { path: '', rootPath: '/tmp/k', spec: {} };

  it('decrypts generators, patches below components, and whole objects, in memory', async () => {
    const env = 'A=1\n';
    const secret = Buffer.from(file(await sealedSecret({ a: 'one' }))).toString();
    const files = memoryFiles({
      'kustomization.yaml':
        'resources: [s.yaml, below]\nsecretGenerator:\n- name: g\n  files: [conf.yaml=s.yaml]\n  envs: [plain.env]\n  options: {disableNameSuffixHash: true}\n',
      'below/kustomization.yaml': 'resources: [cm.yaml]\n',
      'below/cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n',
      's.yaml': secret,
      'plain.env': env,
    });
    const built = await build(files, { ...request, decryption: { age: [identity], pgp: [] } });
    expect(built.ok && built.value.yaml).not.toContain('ENC[');
    const generated = built.ok ? built.value.objects.find(({ metadata }) => metadata.name === 'g') : undefined;
    const data = (generated as unknown as { data: Record<string, string> }).data;
    expect(Buffer.from(data['conf.yaml'] as string, 'base64').toString()).toContain('stringData:\n    a: one\n');
    expect(Buffer.from(data['A'] as string, 'base64').toString()).toBe('1');
  });

  it('B15: fails as a whole when one of its files cannot be decrypted', async () => {
    const good = Buffer.from(file(await sealedSecret({ a: 'one' }))).toString();
    const other = await identityToRecipient(await generateX25519Identity());
    const bad = Buffer.from(file(await sealedSecret({ a: 'two' }, [other])))
      .toString()
      .replace('name: s\n', 'name: t\n');
    const files = memoryFiles({
      'kustomization.yaml': 'resources: [good.yaml, bad.yaml]\n',
      'good.yaml': good,
      'bad.yaml': bad,
    });
    const built = await build(files, { ...request, decryption: { age: [identity], pgp: [] } });
    expect(built).toMatchObject({
      ok: false,
      error: {
        message: expect.stringContaining(
          "decryption failed for 'Secret.v1.[noGrp]/t': failed to decrypt and format '/t' Secret data",
        ),
      },
    });
  });

  it('names a file that is missing, without keys leaving the tree', async () => {
    const files = memoryFiles({ 'kustomization.yaml': 'secretGenerator:\n- name: g\n  files: [../../etc/passwd]\n' });
    const built = await build(files, { ...request, decryption: { age: [identity], pgp: [] } });
    expect(built).toMatchObject({
      ok: false,
      error: { message: 'error decrypting sources: lstat etc/passwd: no such file or directory' },
    });
  });
});

it.each([
  ['garbage', 'failed to parse and add to age identities: unknown identity type'],
  ['AGE-SECRET-KEY-1QQQ', 'failed to parse and add to age identities: malformed secret key'],
  ['AGE-PLUGIN-YUBIKEY-1QQQ', 'failed to parse and add to age identities: identities of plugins cannot be used here'],
  ['# nothing\n', 'failed to parse and add to age identities: no identities found'],
])('refuses %s as an age key', (text, message) => {
  expect(parseAgeKeys(text)).toEqual({ ok: false, error: message });
});

it('refuses what is no PGP key', async () => {
  expect(await pgpKeyProblem('garbage')).toBe('no valid OpenPGP data found');
});
