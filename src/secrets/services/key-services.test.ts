import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { KeyServiceWorld } from '../../../tests/support/cloud/key-service-world.ts';

let world: KeyServiceWorld;
beforeAll(async () => {
  world = await KeyServiceWorld.start();
});
beforeEach(() => world.renew());
afterAll(() => world.close());

it('sends no data key that is too long to be one', async () => {
  const encrypted = 'A'.repeat(20_000);
  for (const key of [
    world.kms({ encrypted }),
    world.gcpKms({ encrypted }),
    world.azureKv({ encrypted }),
    world.transit({ encrypted }),
  ]) {
    expect(await world.open(key, { secret: { 'sops.vault-token': 'x' } })).toContain('longer than 16384 characters');
  }
  expect(world.internet.requests).toEqual([]);
});
