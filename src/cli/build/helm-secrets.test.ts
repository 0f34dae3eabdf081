import { describe, expect, it } from 'vitest';
import type { Json } from '../../base/json.ts';
import { SecretTexts } from './helm-secrets.ts';

const KEY = '-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n';

describe('secret texts', () => {
  const secrets = new SecretTexts();
  secrets.add({ password: 'p@ss word', port: 5432, short: 'ab', flag: true, list: ['deep'], key: KEY });

  it.each<[Json, Json]>([
    ['p@ss word', '***'],
    ['postgres://u:p%40ss%20word@db', 'postgres://u:***@db'],
    [Buffer.from('p@ss word').toString('base64'), '***'],
    ['{"a":"p@ss word"}', '{"a":"***"}'],
    [5432, '***'],
    ['db:5432', 'db:***'],
    ['ab', '***'],
    ['cab', 'cab'],
    [true, true],
    ['true', 'true'],
    [
      { a: ['deep', 'deeper', 1], 'p@ss word': 1 },
      { a: ['***', '***er', 1], 'p@ss word': 1 },
    ],
    ['data: |\n    MIIEvQIBADANBgkq\n', 'data: |\n    ***\n'],
    ['nothing', 'nothing'],
  ])('%j is shown as %j', (value, shown) => {
    expect(secrets.hide(value)).toEqual(shown);
  });

  it('hide nothing where there are none', () => {
    expect(new SecretTexts().hide({ a: 'b' })).toEqual({ a: 'b' });
  });
});
