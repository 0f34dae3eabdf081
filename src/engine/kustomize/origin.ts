import type { JsonObject, MutableJsonObject } from '../../base/json.ts';
import { printYaml } from '../yaml/print.ts';
import { joinPath } from './load.ts';
import { parseRepoUrl } from './repo-url.ts';
import type { Resource } from './resource.ts';

export const ORIGIN_ANNOTATION = 'config.kubernetes.io/origin';
export const TRANSFORMATIONS_ANNOTATION = 'alpha.config.kubernetes.io/transformations';

/** Where a resource, a generator or a transformer comes from (api/resource/origin.go). */
export interface Origin {
  readonly path: string;
  readonly repo: string;
  readonly ref: string;
  readonly configuredIn: string;
  readonly configuredBy?: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace: string;
  };
}

export const NO_ORIGIN: Origin = { path: '', repo: '', ref: '', configuredIn: '' };

/** The origin of what `path` names, seen from `origin`. */
export function appendOrigin(origin: Origin, path: string): Origin {
  const repo = parseRepoUrl(path);
  if (repo !== undefined) return { ...origin, repo: repo.cloneUrl, ref: repo.ref, path: repo.directory };
  return { ...origin, path: joinPath(origin.path, path) };
}

function fields(origin: Origin): JsonObject {
  const by: MutableJsonObject = {};
  for (const [name, value] of Object.entries(origin.configuredBy ?? {})) if (value !== '') by[name] = value;
  return {
    ...(origin.path !== '' && { path: origin.path }),
    ...(origin.repo !== '' && { repo: origin.repo }),
    ...(origin.ref !== '' && { ref: origin.ref }),
    ...(origin.configuredIn !== '' && { configuredIn: origin.configuredIn }),
    ...(Object.keys(by).length > 0 && { configuredBy: by }),
  };
}

export function printOrigin(origin: Origin): string {
  return printYaml(fields(origin), { keepOrder: true });
}

export function setOrigin(resource: Resource, origin: Origin): void {
  const annotations = resource.annotations();
  annotations.set(ORIGIN_ANNOTATION, printOrigin(origin));
  resource.setAnnotations(annotations);
}

/** Notes that a transformer ran over `resource`. */
export function addTransformation(resource: Resource, origin: Origin): void {
  if (resource.annotation(ORIGIN_ANNOTATION) === undefined) {
    setOrigin(resource, origin);
    return;
  }
  const annotations = resource.annotations();
  const before = annotations.get(TRANSFORMATIONS_ANNOTATION) ?? '';
  annotations.set(TRANSFORMATIONS_ANNOTATION, before + printYaml([fields(origin)], { keepOrder: true }));
  resource.setAnnotations(annotations);
}

export function removeAnnotation(resource: Resource, name: string): void {
  const annotations = resource.annotations();
  annotations.delete(name);
  resource.setAnnotations(annotations);
}
