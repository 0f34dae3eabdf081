import type { ConformanceSet } from './set.ts';
import { set as apiserver } from './sets/apiserver.ts';
import { set as charts } from './sets/charts.ts';
import { set as controllers, ownScenarios } from './sets/controllers.ts';
import { set as envsubst } from './sets/envsubst.ts';
import { set as fluxbuild } from './sets/fluxbuild.ts';
import { set as gotmpl } from './sets/gotmpl.ts';
import { set as ignore } from './sets/ignore.ts';
import { set as kstatus } from './sets/kstatus.ts';
import { set as kustomize } from './sets/kustomize.ts';
import { set as semver } from './sets/semver.ts';
import { set as sops } from './sets/sops.ts';
import { set as yaml } from './sets/yaml.ts';

/** Every set that an engine has plugged in, in the order they run. */
export const sets: readonly ConformanceSet[] = [
  kstatus,
  envsubst,
  yaml,
  kustomize,
  fluxbuild,
  gotmpl,
  charts,
  ignore,
  semver,
  sops,
  apiserver,
  controllers,
  ownScenarios,
];
