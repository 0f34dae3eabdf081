import { field, isObject, type Json, stringAt } from '../../../base/json.ts';
import { items } from '../draft.ts';
import { goQuote } from '../status.ts';

interface Source {
  readonly path: string;
  readonly from: string;
}

/** Files of one volume that would be written over each other. Source: kubernetes@1.34 pkg/api/pod/warnings.go warningsForOverlappingVirtualPaths. */
export function overlappingPaths(volumes: readonly Json[]): readonly string[] {
  return volumes.flatMap((volume) => {
    const name = goQuote(stringAt(volume, 'name') ?? '');
    const projected = field(volume, 'projected');
    const mapped = (['configMap', 'secret', 'downwardAPI'] as const).flatMap((kind) => {
      const source = field(volume, kind);
      if (!isObject(source)) return [];
      return overlaps(files(source, '')).map(
        (found) => `volume ${name} (${described(kind, source, 'secretName')}): overlapping paths: ${found}`,
      );
    });
    if (!isObject(projected)) return mapped;
    const seen: Source[] = [];
    const warnings = [...mapped];
    for (const source of items(projected, 'sources')) {
      if (Object.keys(source).length === 0) {
        warnings.push(`volume ${name} (Projected) has no sources provided`);
        continue;
      }
      for (const file of projectedFiles(source)) {
        for (const other of collisions(seen, file))
          warnings.push(`volume ${name} (Projected): overlapping paths: ${shown(file)} with ${shown(other)}`);
        seen.push(file);
      }
    }
    return warnings;
  });
}

function described(kind: 'configMap' | 'secret' | 'downwardAPI', source: Json, secretName: string): string {
  if (kind === 'downwardAPI') return 'DownwardAPI';
  return kind === 'secret'
    ? `Secret ${goQuote(stringAt(source, secretName) ?? '')}`
    : `ConfigMap ${goQuote(stringAt(source, 'name') ?? '')}`;
}

function projectedFiles(source: Json): readonly Source[] {
  for (const kind of ['configMap', 'secret', 'downwardAPI'] as const) {
    const found = field(source, kind);
    if (isObject(found)) return files(found, described(kind, found, 'name'));
  }
  const token = field(source, 'serviceAccountToken');
  return isObject(token) ? [{ path: trimmed(stringAt(token, 'path') ?? ''), from: 'ServiceAccountToken' }] : [];
}

function files(source: Json, from: string): readonly Source[] {
  return items(source, 'items').map((item) => ({ path: trimmed(stringAt(item, 'path') ?? ''), from }));
}

const trimmed = (path: string): string => path.replace(/\/+$/, '');
const shown = ({ path, from }: Source): string => (from === '' ? goQuote(path) : `${goQuote(path)} (${from})`);

function overlaps(all: readonly Source[]): readonly string[] {
  return all.flatMap((file, index) =>
    collisions(all.slice(0, index), file).map((other) => `${shown(file)} with ${shown(other)}`),
  );
}

function collisions(seen: readonly Source[], file: Source): readonly Source[] {
  if (file.path === '') return [];
  return seen.filter(
    ({ path }) => path !== '' && (`${path}/`.startsWith(`${file.path}/`) || `${file.path}/`.startsWith(`${path}/`)),
  );
}
