import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import { KustomizeFailure } from '../engine/kustomize/failure.ts';
import {
  FILE_NAMES,
  type Kustomization,
  type Patch,
  type Replacement,
  type ReplacementOptions,
  type ReplacementTarget,
  readKustomization,
  type Selector,
} from '../engine/kustomize/kustomization-type.ts';
import { readResources } from '../engine/kustomize/read-resources.ts';
import type { Resource } from '../engine/kustomize/resource.ts';
import { SchemaStore } from '../engine/kustomize/schema.ts';
import type { YamlNode } from '../engine/yaml/node.ts';

/** Bases that kustomize looks through for variables are followed this deep. */
const MAX_DEPTH = 50;

interface Touched {
  readonly files: readonly string[];
  readonly patches: ReadonlyMap<string, Patch>;
}

/** Replaces `vars` by `replacements`, and the variables in the files by placeholders (kustomize edit fix --vars). */
export function convertVars(k: Kustomization, folder: string): Result<Kustomization, string> {
  const { vars, ...rest } = k;
  if (vars === undefined) return ok(k);
  const patches = new Map<string, Patch>();
  const files = touchedFiles(k, '', folder, patches, 0);
  const replacements: Replacement[] = [];
  for (const { name = '', objref = {}, fieldref = {} } of vars) {
    const targets = targetsOf(name, { files, patches }, folder);
    if (!targets.ok) return targets;
    const { apiVersion = '' } = objref;
    const slash = apiVersion.indexOf('/');
    const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
    replacements.push({
      source: {
        group,
        version,
        kind: objref.kind ?? '',
        name: objref.name ?? '',
        namespace: objref.namespace ?? '',
        fieldPath: fieldref.fieldPath ?? '',
      },
      targets: targets.value,
    });
    setPlaceholders(name, files, folder);
  }
  return ok({ ...rest, replacements });
}

function touchedFiles(
  k: Kustomization,
  prefix: string,
  folder: string,
  patches: Map<string, Patch>,
  depth: number,
): string[] {
  const found: string[] = [];
  for (const resource of k.resources ?? []) {
    for (const name of filesIn(resolve(folder, resource))) {
      if (!FILE_NAMES.includes(name) || depth >= MAX_DEPTH) continue;
      const below = readFile(folder, join(resource, name));
      if (below === undefined) continue;
      try {
        found.push(...touchedFiles(readKustomization(below), resource, folder, patches, depth + 1));
      } catch (failure) {
        if (!(failure instanceof KustomizeFailure)) throw failure;
      }
    }
    found.push(join(prefix, resource));
  }
  for (const patch of k.patches ?? []) {
    if (patch.path === undefined || patch.path === '') continue;
    const path = join(prefix, patch.path);
    found.push(path);
    patches.set(path, patch);
  }
  return found;
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function readFile(folder: string, path: string): string | undefined {
  try {
    return readFileSync(resolve(folder, path), 'utf8');
  } catch {
    return undefined;
  }
}

function targetsOf(
  name: string,
  { files, patches }: Touched,
  folder: string,
): Result<readonly ReplacementTarget[], string> {
  const out: ReplacementTarget[] = [];
  for (const file of files) {
    const text = readFile(folder, file);
    if (text === undefined) continue;
    let resources: readonly Resource[];
    try {
      resources = readResources(text, new SchemaStore());
    } catch (failure) {
      if (failure instanceof KustomizeFailure) continue;
      throw failure;
    }
    for (const resource of resources) {
      const uses: Use[] = [];
      const problem = findUses(resource.node, `$(${name})`, [], uses);
      if (problem !== undefined) return err(`error with ${file}: ${problem}`);
      for (const { path, options } of uses) {
        out.push({
          select: selectorOf(resource, patches.get(file)),
          fieldPaths: [path],
          ...(options !== undefined && { options }),
        });
      }
    }
  }
  return ok(out);
}

function selectorOf(resource: Resource, patch: Patch | undefined): Selector {
  const namespace = resource.namespace();
  if (patch !== undefined && !(patch.options?.allowNameChange === true && patch.options.allowKindChange === true)) {
    return {
      ...patch.target,
      ...(patch.options?.allowNameChange === true && { name: resource.name() }),
      ...(patch.options?.allowKindChange === true && { kind: resource.kind() }),
      ...(namespace !== '' && { namespace }),
    };
  }
  return { ...resource.gvk(), name: resource.name(), namespace };
}

interface Use {
  readonly path: string;
  readonly options: ReplacementOptions | undefined;
}

/** Finds where a variable is used; the message says why one cannot be a replacement. */
function findUses(
  node: YamlNode | undefined,
  variable: string,
  path: readonly string[],
  out: Use[],
): string | undefined {
  if (node === undefined) return undefined;
  if (node.kind === 'scalar') {
    if (!node.value.includes(variable)) return undefined;
    const options = optionsFor(node.value, variable);
    if (!options.ok) return options.error;
    out.push({ path: path.join('.'), options: options.value });
    return undefined;
  }
  const step = node.kind === 'map' ? 2 : 1;
  for (let index = 0; index < node.content.length; index += step) {
    const key = step === 2 ? (node.content[index] as YamlNode).value : String(index);
    const part = key.includes('.') ? `[${key}]` : key;
    const problem = findUses(node.content[index + step - 1], variable, [...path, part], out);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function optionsFor(value: string, variable: string): Result<ReplacementOptions | undefined, string> {
  if (value === variable) return ok(undefined);
  const at = value.indexOf(variable);
  const after = at + variable.length;
  if (at === 0) return ok({ delimiter: value[after] as string, index: 0 });
  const before = value[at - 1] as string;
  if (after >= value.length) return ok({ delimiter: before, index: value.split(before).length - 1 });
  if (before !== value[after]) return err(`cannot convert all vars to replacements; ${variable} is not delimited`);
  const index = value.split(before).indexOf(variable);
  return index < 0 ? err(`internal error: could not get index of var ${variable}`) : ok({ delimiter: before, index });
}

function setPlaceholders(name: string, files: readonly string[], folder: string): void {
  for (const file of files) {
    const text = readFile(folder, file);
    if (text?.includes(`$(${name})`) === true)
      writeFileSync(resolve(folder, file), text.replaceAll(`$(${name})`, `${name}_PLACEHOLDER`));
  }
}
