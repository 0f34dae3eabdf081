import { describe, expect, it } from 'vitest';
import { pickVersion, versionsOf } from './repository-index.ts';

const INDEX = `apiVersion: v1
entries:
  web:
    - {version: 1.0.0, urls: [web-1.0.0.tgz], digest: aa}
    - {version: 1.2.0, urls: [https://a.example/web-1.2.0.tgz]}
    - {version: 2.0.0-rc.1, urls: [x]}
    - {version: 1.10.0+b1, urls: [z]}
    - null
    - {version: none}
  empty: []
`;

describe('versions of a chart', () => {
  const found = versionsOf(INDEX, 'web');
  const versions = found.ok ? found.value : [];

  it('are those with a URL', () => {
    expect(versions.map(({ version }) => version)).toEqual(['1.0.0', '1.2.0', '2.0.0-rc.1', '1.10.0+b1']);
    expect(versions[0]).toEqual({ version: '1.0.0', url: 'web-1.0.0.tgz', digest: 'aa' });
  });

  it.each([
    ['', '1.10.0+b1'],
    ['*', '1.10.0+b1'],
    ['1.2.0', '1.2.0'],
    ['~1.2', '1.2.0'],
    ['<1.2', '1.0.0'],
    ['>=2.0.0-0', '2.0.0-rc.1'],
    ['2.0.0-rc.1', '2.0.0-rc.1'],
    ['>3', "no 'web' chart with version matching '>3' found"],
    ['not a range', 'improper constraint: "not a range"'],
  ])('%j picks %s', (wanted, result) => {
    const picked = pickVersion('web', versions, wanted);
    expect(picked.ok ? picked.value.version : picked.error).toBe(result);
  });

  it.each([
    ['other', INDEX, 'no chart name found'],
    ['web', 'entries: {}', 'no API version specified'],
    ['web', '{', 'the index cannot be read: '],
    ['__proto__', INDEX, 'no chart name found'],
  ])('of %s are refused', (chart, index, why) => {
    const refused = versionsOf(index, chart);
    expect(refused.ok ? '' : refused.error).toContain(why);
  });

  it('are none where the chart has none', () => {
    expect(pickVersion('empty', [], '*')).toEqual({ ok: false, error: 'no chart version found' });
  });
});
