import type { Kind } from '../kind.ts';
import { gitRepository } from './git-repository.ts';
import { kustomization } from './kustomization.ts';

/** Every kind that has a controller, in the order in which `weir install` prints their CRDs. */
export const kinds: readonly Kind<unknown, unknown>[] = [gitRepository, kustomization];
