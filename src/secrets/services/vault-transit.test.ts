import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyServiceWorld, VAULT } from '../../../tests/support/cloud/key-service-world.ts';
import { accountToken, shop } from '../../../tests/support/cloud/shop-account.ts';
import { FakeVault } from '../../../tests/support/cloud/vault.ts';

let world: KeyServiceWorld;
beforeAll(async () => {
  world = await KeyServiceWorld.start();
});
beforeEach(() => world.renew());
afterAll(() => world.close());

describe('a key of Vault', () => {
  const logins = `instances:\n- address: ${VAULT}\n  loginPath: auth/kubernetes/login\n`;
  const engineToken = async (): Promise<Record<string, string>> => ({
    '/var/run/secrets/kubernetes.io/serviceaccount/token': await accountToken(world.client, 'flux-system', 'engine'),
  });

  it('is opened with the token of the Secret, wherever the file says', async () => {
    expect(await world.open(world.transit(), { secret: { 'sops.vault-token': ` ${world.vault.issue()}\n` } })).toBe(
      'opened',
    );
  });

  it('is opened by a login as the service account of the object, or of the engine', async () => {
    expect(await world.open(world.transit(), { principal: shop, logins })).toBe('opened');
    expect(await world.open(world.transit(), { logins, files: await engineToken() })).toBe('opened');
    expect(await world.open(world.transit(), { logins })).toContain(
      'failed to issue Kubernetes token for Vault authentication',
    );
  });

  it('is not logged in to where the list does not name it', async () => {
    world.internet.serve('evil.example', () => ({ body: '{}' }));
    const answer = await world.open(world.transit({ address: 'https://evil.example' }), { principal: shop, logins });
    expect(answer).toContain(
      "no Vault login path configured for address 'https://evil.example' in ConfigMap 'flux-system/vaults'",
    );
    expect(world.internet.requests).toEqual([]);
  });

  it("has the engine's own token sent only where the engine's environment says", async () => {
    const token = world.vault.issue();
    const stolen = new FakeVault(world.internet, { host: 'evil.example' });
    const evil = world.transit({ address: 'https://evil.example' });
    const named = { VAULT_TOKEN: token, VAULT_ADDR: `${VAULT}/` };
    expect(await world.open(world.transit(), { env: named })).toBe('opened');
    expect(await world.open(evil, { env: named })).toContain(
      "the engine's own token is not sent to 'https://evil.example'",
    );
    expect(await world.open(evil, { env: { VAULT_TOKEN: token } })).toContain('which is not its VAULT_ADDR');
    const listed = { VAULT_TOKEN: token, SOPS_HC_VAULT_ALLOWLIST: `https://a.example, ${VAULT}` };
    expect(await world.open(world.transit(), { env: listed })).toBe('opened');
    expect(await world.open(evil, { env: listed })).toContain('Allowlist does not allow https://evil.example');
    const lookAlike = world.transit({ address: `${VAULT}@evil.example` });
    expect(await world.open(lookAlike, { env: { ...named, SOPS_HC_VAULT_ALLOWLIST: VAULT } })).toContain('Allowlist');
    expect(await world.open(lookAlike, { env: named })).toContain('is not sent to');
    expect(stolen.seen).toEqual([]);
    expect(await world.open(world.transit(), {})).toContain(`there is no token for '${VAULT}'`);
  });

  it('tells what Vault says, without a token that Vault repeats', async () => {
    const answer = await world.open(world.transit(), { secret: { 'sops.vault-token': 'hvs.wrong' } });
    expect(answer).toBe(
      "failed to decrypt sops data key from Vault transit backend 'transit/decrypt/sops': status 403: permission denied for ***",
    );
    expect(
      await world.open(world.transit({ keyName: '../../sys/seal' }), { secret: { 'sops.vault-token': 'x' } }),
    ).toContain("'transit/decrypt/../../sys/seal' is no path of Vault");
    for (const address of ['file:///etc/passwd', 'vault', 'https://u:p@world.vault.example:8200', `${VAULT}?x=y`]) {
      const refused = await world.open(world.transit({ address }), { secret: { 'sops.vault-token': 'x' } });
      expect(refused).toMatch(/is not the URL of a Vault server|must be a plain URL/);
    }
  });

  it('is sent in the namespace, and checked by the authority, of the environment', async () => {
    const token = world.vault.issue();
    const files = { '/ca.pem': 'x' };
    const env = { VAULT_CACERT: '/gone.pem' };
    expect(await world.open(world.transit(), { env, files, secret: { 'sops.vault-token': token } })).toContain(
      'VAULT_CACERT: /gone.pem does not exist',
    );
    let seen: string | undefined;
    world.internet.serve('vault.example:8200', ({ headers }) => {
      seen = headers['x-vault-namespace'];
      return { body: JSON.stringify({ data: { plaintext: world.dataKey.toString('base64') } }) };
    });
    const namespaced = { VAULT_NAMESPACE: 'team' };
    expect(await world.open(world.transit(), { env: namespaced, secret: { 'sops.vault-token': token } })).toBe(
      'opened',
    );
    expect(seen).toBe('team');
  });
});
