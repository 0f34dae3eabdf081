import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import { printKustomizationFile } from '../engine/kustomize/kustomization-file.ts';
import { FILE_NAMES } from '../engine/kustomize/kustomization-type.ts';
import { readResources } from '../engine/kustomize/read-resources.ts';
import { parseRepoUrl } from '../engine/kustomize/repo-url.ts';
import { SchemaStore } from '../engine/kustomize/schema.ts';
import { findFile, glob, parsePairs } from './kustomize-folder.ts';
import { boolFlag, type KustomizeContext, type KustomizeVerb, textFlag } from './kustomize-verb.ts';

export const createVerb: KustomizeVerb = {
  name: 'create',
  aliases: ['init'],
  short: 'Create a new kustomization in the current directory',
  flags: [
    textFlag('resources', 'Name of a file containing a file to add to the kustomization file.'),
    textFlag('namespace', 'Set the value of the namespace field in the kustomization file.'),
    textFlag('annotations', 'Add one or more common annotations.'),
    textFlag('labels', 'Add one or more common labels.'),
    textFlag('nameprefix', 'Sets the value of the namePrefix field in the kustomization file.'),
    textFlag('namesuffix', 'Sets the value of the nameSuffix field in the kustomization file.'),
    boolFlag(
      'autodetect',
      'Search for kubernetes resources in the current directory to be added to the kustomization file.',
    ),
    boolFlag('recursive', 'Enable recursive directory searching for resource auto-detection.'),
  ],
  run,
};

async function run({ flags, host }: KustomizeContext): Promise<string | undefined> {
  const { cwd } = host;
  const named =
    flags.string('resources') === '' ? ok([]) : expandPaths(cwd, flags.string('resources').split(','), false);
  if (!named.ok) return named.error;
  if (findFile(cwd).ok) return 'kustomization file already exists';
  const resources = [...named.value];
  if (flags.bool('autodetect')) {
    for (const path of detect(cwd, '', flags.bool('recursive'))) if (!resources.includes(path)) resources.push(path);
  }
  const split = (text: string): readonly string[] => (text === '' ? [] : text.split(','));
  const annotations = parsePairs(split(flags.string('annotations')), 'annotation');
  if (!annotations.ok) return annotations.error;
  const labels = parsePairs(split(flags.string('labels')), 'label');
  if (!labels.ok) return labels.error;
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources,
    namespace: flags.string('namespace'),
    namePrefix: flags.string('nameprefix'),
    nameSuffix: flags.string('namesuffix'),
    commonAnnotations: annotations.value,
    commonLabels: labels.value,
  };
  writeFileSync(join(cwd, 'kustomization.yaml'), printKustomizationFile({ kustomization, written: [] }));
  return undefined;
}

/** Files that hold objects, in the order of a walk; with `recursive`, folders that are kustomizations stand for themselves. */
function detect(root: string, folder: string, recursive: boolean): readonly string[] {
  const schemas = new SchemaStore();
  const found: string[] = [];
  for (const name of readdirSync(join(root, folder)).sort()) {
    const path = folder === '' ? name : `${folder}/${name}`;
    const full = join(root, path);
    const stat = statSync(full, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) {
      if (!recursive) continue;
      if (FILE_NAMES.some((one) => statSync(join(full, one), { throwIfNoEntry: false }) !== undefined))
        found.push(path);
      else found.push(...detect(root, path, recursive));
    } else if (stat?.isFile() === true && holdsObjects(readFileSync(full), schemas)) found.push(path);
  }
  return found;
}

function holdsObjects(content: Uint8Array, schemas: SchemaStore): boolean {
  try {
    readResources(content, schemas);
    return true;
  } catch {
    return false;
  }
}

/** What patterns stand for; one that fits no file must be a directory or a repository. */
export function expandPaths(
  folder: string,
  patterns: readonly string[],
  noVerify: boolean,
): Result<readonly string[], string> {
  const found: string[] = [];
  for (const pattern of patterns) {
    const files = noVerify ? [pattern] : glob(folder, pattern);
    if (files.length > 0) found.push(...files);
    else if (parseRepoUrl(pattern) !== undefined) found.push(pattern);
    else {
      const path = join(folder, pattern);
      if (pattern === '') return err(' has no match: new root cannot be empty');
      return err(
        `${pattern} has no match: must build at directory: not a valid directory: evalsymlink failure on '${path}' : lstat ${path}: no such file or directory`,
      );
    }
  }
  return ok(found);
}
