import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyServiceWorld } from '../../../tests/support/cloud/key-service-world.ts';
import { shop } from '../../../tests/support/cloud/shop-account.ts';

let world: KeyServiceWorld;
beforeAll(async () => {
  world = await KeyServiceWorld.start();
});
beforeEach(() => world.renew());
afterAll(() => world.close());

describe('a key of Google Cloud KMS', () => {
  it('is opened with the key file of the Secret, as the engine, or as a service account', async () => {
    const secret = { 'sops.gcp-kms': `${world.gcp.keyFile('tenant@shop-1.iam.gserviceaccount.com')}\n` };
    expect(await world.open(world.gcpKms(), { secret })).toBe('opened');
    expect(await world.open(world.gcpKms(), { principal: shop })).toBe('opened');
    expect(await world.open(world.gcpKms(), {})).toBe('opened');
  });

  it('is told to be closed in the words of the service', async () => {
    const secret = { 'sops.gcp-kms': world.gcp.keyFile('nobody@shop-1.iam.gserviceaccount.com') };
    expect(await world.open(world.gcpKms(), { secret })).toBe(
      'failed to decrypt sops data key with GCP KMS key: status 403: PERMISSION_DENIED: nobody@shop-1.iam.gserviceaccount.com may not decrypt',
    );
    expect(await world.open(world.gcpKms({ encrypted: 'ä' }), { secret })).toBe('the encrypted data key is not base64');
  });

  it.each([
    'projects/p/locations/global/keyRings/../cryptoKeys/k',
    'projects/p/locations/global/keyRings/r/cryptoKeys/k/x',
    '//evil.example/x',
  ])('sends nothing for the resource %s', async (resourceId) => {
    expect(await world.open(world.gcpKms({ resourceId }), {})).toContain(
      `no valid resource ID found in "${resourceId}"`,
    );
    expect(world.internet.requests).toEqual([]);
  });

  it('never leaves its path by what a resource holds', async () => {
    const resourceId = 'projects/p/locations/global/keyRings/r?x=/cryptoKeys/k#y';
    await world.open(world.gcpKms({ resourceId }), {});
    expect(world.internet.requests.at(-1)).toContain('/keyRings/r%3Fx%3D/cryptoKeys/k%23y:decrypt');
  });
});
