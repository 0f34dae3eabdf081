import { describe, expect, it } from 'vitest';
import { splitAddress } from './proxy.ts';

describe('the address of a proxy request', () => {
  it.each([
    ['web', { scheme: '', name: 'web', port: '' }],
    ['web:http', { scheme: '', name: 'web', port: 'http' }],
    ['https:web:443', { scheme: 'https', name: 'web', port: '443' }],
    [':web:', { scheme: '', name: 'web', port: '' }],
    ['ftp:web:21', undefined],
    ['a:b:c:d', undefined],
  ])('%s', (text, address) => {
    expect(splitAddress(text)).toEqual(address);
  });
});
