import type { TemplateHost } from '../../engine/sprig/host.ts';
import { templateCrypto } from './template-crypto.ts';

/** What chart templates get from this process. Names are not looked up, and local time is UTC, as in a controller's image. */
export const templateHost: TemplateHost = {
  now: () => BigInt(Date.now()) * 1_000_000n,
  localZone: 'UTC',
  crypto: templateCrypto,
};
