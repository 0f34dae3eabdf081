import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { modernize } from '../engine/kustomize/kustomization-file.ts';
import { buildDirectory } from './kustomize-build.ts';
import { convertVars } from './kustomize-convert-vars.ts';
import { openFile, saveFile } from './kustomize-folder.ts';
import { boolFlag, type KustomizeContext, type KustomizeVerb } from './kustomize-verb.ts';

const FIXED = `
Fixed fields:
  patchesJson6902 -> patches
  patchesStrategicMerge -> patches
  commonLabels -> labels`;

const VARS_HINT = `

To convert vars -> replacements, run the command \`kustomize edit fix --vars\`

WARNING: Converting vars to replacements will potentially overwrite many resource files 
and the resulting files may not produce the same output when \`kustomize build\` is run. 
We recommend doing this in a clean git repository where the change is easy to undo.
`;

export const fixVerb: KustomizeVerb = {
  name: 'fix',
  short: 'Fix the missing fields in kustomization file',
  flags: [
    boolFlag(
      'vars',
      'If specified, kustomize will attempt to convert vars to replacements. We recommend doing this in a clean git repository where the change is easy to undo.',
    ),
  ],
  run,
};

async function run(context: KustomizeContext): Promise<string | undefined> {
  const { host, flags } = context;
  const warn = (built: Awaited<ReturnType<typeof buildDirectory>>): void => {
    for (const warning of built.ok ? built.value.warnings : built.error.warnings) host.io.stderr(`${warning}\n`);
  };
  const before = await buildDirectory(context, '.', {});
  warn(before);
  const open = openFile(host.cwd);
  if (!open.ok) return open.error;
  const isFile = (path: string): boolean => {
    try {
      readFileSync(resolve(host.cwd, path));
      return true;
    } catch {
      return false;
    }
  };
  const modern = modernize(open.value.file.kustomization, isFile);
  if (!modern.ok) return modern.error;
  let fixed = modern.value;
  if (flags.bool('vars')) {
    const converted = convertVars(fixed, host.cwd);
    if (!converted.ok) return converted.error;
    fixed = converted.value;
    host.io.stdout(`${FIXED}\n  vars -> replacements\n`);
  } else host.io.stdout(`${FIXED}${VARS_HINT}`);
  saveFile(open.value, fixed);
  const after = await buildDirectory(context, '.', {});
  warn(after);
  if (!after.ok) {
    host.io.stdout(
      `Warning: 'Fixed' kustomization now produces the error when running \`kustomize build\`: ${after.error.message}\n`,
    );
  } else if (after.value.yaml !== (before.ok ? before.value.yaml : '')) {
    host.io.stdout(
      `Warning: 'Fixed' kustomization now produces different output when running \`kustomize build\`:\n...${after.value.yaml}...\n`,
    );
  }
  return undefined;
}
