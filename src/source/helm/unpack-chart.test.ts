import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MAX_CHART_BYTES } from '../../engine/helm/chart.ts';
import { type TarFile, writeTar } from '../artifact/tar.ts';
import { unpackChart } from './unpack-chart.ts';

function packed(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const entries: TarFile[] = Object.entries(files).map(([name, content]) => ({
    name,
    directory: false,
    executable: false,
    content: typeof content === 'string' ? new TextEncoder().encode(content) : content,
  }));
  return gzipSync(writeTar(entries));
}

describe('a packed chart', () => {
  it('is unpacked without its folder and byte order marks', () => {
    const files = unpackChart(packed({ 'web/Chart.yaml': '\ufeffname: web', 'web/templates/a/b.yaml': 'x' }));
    const texts = files.ok ? files.value.map(({ name, data }) => [name, new TextDecoder().decode(data)]) : [];
    expect(texts).toEqual([
      ['Chart.yaml', 'name: web'],
      ['templates/a/b.yaml', 'x'],
    ]);
  });

  it.each([
    ['that is none', new TextEncoder().encode('kind: x'), 'it is no gzip archive'],
    ['that is cut', gzipSync(new Uint8Array(100)), 'cut short'],
    ['without files', packed({}), 'no files in chart archive'],
    ['without a folder', packed({ 'Chart.yaml': 'x' }), 'chart yaml not in base directory'],
    ['with a way out', packed({ 'web/../../x': 'x' }), 'path leaves the archive'],
    ['with an absolute name', packed({ '/etc/x': 'x' }), 'name not allowed'],
    ['with a large file', packed({ 'web/x': new Uint8Array(6 * 1024 * 1024) }), 'larger than the maximum file size'],
    ['that is a bomb', gzipSync(new Uint8Array(MAX_CHART_BYTES + 30 * 1024 * 1024)), 'larger than the maximum size'],
  ])('%s is refused', (_name, archive, why) => {
    const files = unpackChart(archive);
    expect(files.ok ? '' : files.error).toContain(why);
  });
});
