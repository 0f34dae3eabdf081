import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeAzure } from '../../../tests/support/cloud/azure.ts';
import { certificate, KeyServiceWorld } from '../../../tests/support/cloud/key-service-world.ts';
import { shop, TENANT } from '../../../tests/support/cloud/shop-account.ts';

let world: KeyServiceWorld;
beforeAll(async () => {
  world = await KeyServiceWorld.start();
});
beforeEach(() => world.renew());
afterAll(() => world.close());

describe('a key of Azure Key Vault', () => {
  const secretFile = `tenantId: ${TENANT}\nclientId: app-s\nclientSecret: s3cret\n`;
  const certificateFile = JSON.stringify({
    tenantId: TENANT,
    clientId: 'app-c',
    clientCertificate: certificate.pem,
    clientCertificateSendChain: true,
  });

  it.each<readonly [string, string | Uint8Array]>([
    ['a client secret', secretFile],
    ['a client secret in UTF-16', Buffer.from(`\ufeff${secretFile}`, 'utf16le')],
    ['a client secret by its old names', `tenant: ${TENANT}\nappId: app-s\npassword: s3cret\n`],
    ['a client certificate', certificateFile],
    ['a managed identity', 'clientId: app-m'],
    ['an authority of its own', `${secretFile}authorityHost: https://login.microsoftonline.com/`],
  ])('is opened with %s of the Secret', async (_what, file) => {
    expect(await world.open(world.azureKv(), { secret: { 'sops.azure-kv': file } })).toBe('opened');
  });

  it('is opened as the engine and as a service account', async () => {
    const env = { AZURE_TENANT_ID: TENANT, AZURE_CLIENT_ID: 'engine', AZURE_CLIENT_SECRET: 's3cret' };
    expect(await world.open(world.azureKv(), { env })).toBe('opened');
    expect(await world.open(world.azureKv(), { principal: shop })).toBe('opened');
  });

  it.each([
    ['half a credential', 'tenantId: t', "invalid data: requires a 'clientId' field"],
    [
      'an authority without TLS',
      `${secretFile}authorityHost: http://login.example`,
      'cannot use an authority host without https',
    ],
    ['another secret', secretFile.replace('s3cret', 'guess'), 'AADSTS7000215: Invalid client secret provided'],
  ])('is closed to %s', async (_what, file, message) => {
    const answer = await world.open(world.azureKv(), { secret: { 'sops.azure-kv': file } });
    expect(answer).toContain(message);
    expect(answer).not.toContain('guess');
  });

  it.each([
    'https://evil.example',
    'https://shop.vault.azure.net.evil.example',
    'https://evil.example/.vault.azure.net',
    'https://shop.vault.azure.net:8443',
    'https://shop.vault.azure.net@evil.example',
    'http://shop.vault.azure.net',
    'https://vault.azure.net',
  ])('has no token sent to %s', async (vaultUrl) => {
    for (const host of [
      'evil.example',
      'shop.vault.azure.net.evil.example',
      'shop.vault.azure.net:8443',
      'vault.azure.net',
    ]) {
      world.internet.serve(host, () => ({ body: '{}' }));
    }
    const env = { AZURE_TENANT_ID: TENANT, AZURE_CLIENT_ID: 'engine', AZURE_CLIENT_SECRET: 's3cret' };
    expect(await world.open(world.azureKv({ vaultUrl }), { env })).toContain('which is no key vault of Azure');
    expect(world.internet.requests).toEqual([]);
  });

  it('is opened in a cloud of its own that the environment of the engine names', async () => {
    const local = new FakeAzure(world.internet, {
      tenant: TENANT,
      secrets: { 'app-s': 's3cret' },
      vaultHost: 'shop.vault.stack.example',
    });
    const file = {
      resourceManagerEndpoint: 'https://m',
      tokenAudience: 'https://m',
      keyVaultDNSSuffix: 'vault.stack.example',
    };
    const key = world.azureKv({ vaultUrl: 'https://shop.vault.stack.example', encrypted: local.wrap(world.dataKey) });
    const answer = await world.open(key, {
      env: { AZURE_ENVIRONMENT_FILEPATH: '/cloud.json' },
      files: { '/cloud.json': JSON.stringify(file) },
      secret: { 'sops.azure-kv': secretFile },
    });
    // The vault was asked, with a token of its own audience, which is not the public cloud's.
    expect(answer).toContain('the token is for https://vault.stack.example');
  });
});
