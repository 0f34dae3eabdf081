import type { Unreplaced } from '../../build/build.ts';
import { printPlaces } from '../../build/locate-expressions.ts';
import type { Pass } from './pass.ts';

/** Objects told of one failed build; a person mends these and looks again. */
const MAX_TOLD = 20;

/**
 * Events of the objects whose variables could not be replaced, with file, line and variable: Ready and the Kustomization's own
 * events keep Flux's words, which have none of these.
 */
export function tellUnreplaced(pass: Pass, unreplaced: readonly Unreplaced[]): void {
  const { namespace = '', name } = pass.object.metadata;
  for (const { object, places } of unreplaced.slice(0, MAX_TOLD)) {
    if (places.length === 0) continue;
    const message = `cannot be built by Kustomization ${namespace}/${name}:\n${printPlaces(places)}`;
    const about = object.namespace === undefined && namespace !== '' ? { ...object, namespace } : object;
    pass.event('error', message, {}, { reason: 'SubstitutionFailed', about });
  }
}
