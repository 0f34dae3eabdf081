import { ok } from '../../base/result.ts';
import { type CliResult, failed } from '../command.ts';

/** Flux's controllers, by whose names Weir's parts are chosen. */
export const DEFAULT_COMPONENTS: readonly string[] = [
  'source-controller',
  'kustomize-controller',
  'helm-controller',
  'notification-controller',
];
export const EXTRA_COMPONENTS: readonly string[] = [
  'image-reflector-controller',
  'image-automation-controller',
  'source-watcher',
];

/** The components without doubles, or an error that lists the known ones. */
export function chooseComponents(names: readonly string[]): CliResult<readonly string[]> {
  const known = [...DEFAULT_COMPONENTS, ...EXTRA_COMPONENTS];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    return failed(`component ${unknown} is not available, known components are: ${known.join(', ')}`);
  }
  if (names.length === 0) return failed(`no components given, known components are: ${known.join(', ')}`);
  return ok([...new Set(names)]);
}
