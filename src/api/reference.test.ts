import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kinds } from './kinds/all.ts';
import { referencePage } from './reference.ts';

describe('the reference page', () => {
  test.each(kinds.map((kind) => [kind.kind, kind] as const))('of %s is the one in docs/reference', async (_, kind) => {
    const file = join(import.meta.dirname, '../../docs/reference', `${kind.kind.toLowerCase()}.md`);
    await expect(referencePage(kind)).toMatchFileSnapshot(file);
  });

  test.each([
    ['GitRepository', '| `url` (required) | string |'],
    [
      'GitRepository',
      '| `timeout` | string | Longest time one Git operation may take, as a Go duration. Default: `60s`.',
    ],
    ['GitRepository', '| `provider` | string |'],
    ['GitRepository', 'One of `generic`, `aws`, `azure`, `github`.'],
    ['GitRepository', '| `include[].repository.name` (required) | string |'],
    ['Kustomization', '| `postBuild.substitute` | map of string |'],
    ['Kustomization', 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified.'],
    ['Kustomization', '`^([0-9]+(\\.[0-9]+)?(ms\\|s\\|m\\|h))+$`'],
  ])('of %s says %s', (name, text) => {
    const kind = kinds.find((other) => other.kind === name);
    if (kind === undefined) throw new Error(name);
    expect(referencePage(kind)).toContain(text);
  });
});
