import { err, ok, type Result } from '../base/result.ts';
import { diskFiles } from '../build/disk-files.ts';
import { KustomizeFailure } from '../engine/kustomize/failure.ts';
import { generate, mergeOptions } from '../engine/kustomize/generate.ts';
import type { GeneratorArgs, Kustomization } from '../engine/kustomize/kustomization-type.ts';
import { Loader } from '../engine/kustomize/load.ts';
import { SchemaStore } from '../engine/kustomize/schema.ts';
import { sameNamespace } from './kustomize-edit-verb.ts';
import { glob } from './kustomize-folder.ts';
import { type KustomizeContext, logLine } from './kustomize-verb.ts';

export type GeneratorField = 'configMapGenerator' | 'secretGenerator';

/** Position of the generator of this name and namespace; -1 when there is none. */
export function findGenerator(k: Kustomization, field: GeneratorField, name: string, namespace: string): number {
  return (k[field] ?? []).findIndex((one) => one.name === name && sameNamespace(one.namespace, namespace));
}

export function withGenerator(
  k: Kustomization,
  field: GeneratorField,
  index: number,
  args: GeneratorArgs,
): Kustomization {
  const list = [...(k[field] ?? [])];
  if (index < 0) list.push(args);
  else list[index] = args;
  return { ...k, [field]: list };
}

/** The generator with the kustomization's options, after a trial run: kustomize refuses what cannot be generated. */
export function tryGenerator(
  k: Kustomization,
  field: GeneratorField,
  args: GeneratorArgs,
  folder: string,
): Result<GeneratorArgs, string> {
  const options = mergeOptions(args.options, k.generatorOptions);
  const full = { ...args, ...(options !== undefined && { options }) };
  const kind = field === 'configMapGenerator' ? 'ConfigMap' : 'Secret';
  try {
    const context = { restrict: true, filesRead: new Set<string>(), remote: undefined };
    generate(kind, full, Loader.at(diskFiles('/'), '', folder, context), new SchemaStore());
    return ok(full);
  } catch (failure) {
    if (failure instanceof KustomizeFailure) return err(failure.message);
    throw failure;
  }
}

/** File sources with their patterns replaced by what they stand for. */
export function expandFileSources(
  sources: readonly string[],
  context: KustomizeContext,
): Result<readonly string[], string> {
  const found: string[] = [];
  for (const source of sources) {
    const parts = source.split('=');
    const [key, pattern] = parts.length === 2 ? (parts as [string, string]) : ['', parts[0] as string];
    const files = glob(context.host.cwd, pattern);
    if (files.length === 0) logLine(context, `${pattern} has no match`);
    if (key === '') found.push(...files);
    else if (files.length !== 1)
      return err(`'pattern '${source}' catches files [${files.join(' ')}], should catch only one`);
    else found.push(`${key}=${files[0]}`);
  }
  return ok(found);
}
