import type { Result } from '../base/result.ts';
import { err, ok } from '../base/result.ts';
import { optionalGroups } from './data/optional-groups.ts';

/** What a server is asked to serve beside what a real one serves by default. */
export interface Features {
  /** As kube-apiserver's `--feature-gates`. */
  readonly featureGates?: { readonly [gate: string]: boolean };
  /** As kube-apiserver's `--runtime-config`: `GROUP/VERSION`, `api/all`, `api/alpha` or `api/beta`. */
  readonly runtimeConfig?: { readonly [key: string]: boolean };
}

const GATE = 'MutatingAdmissionPolicy';
const GATES = ['AllAlpha', 'AllBeta', GATE];
const EVERY = ['api/all', 'api/alpha', 'api/beta', 'api/ga'];

/** Group versions that `features` add; kinds of policies need their gate too. Source: kubernetes@1.34 pkg/registry/admissionregistration/rest/storage_apiserver.go. */
export function optionalVersions({ featureGates = {}, runtimeConfig = {} }: Features): readonly string[] {
  if ((featureGates[GATE] ?? featureGates['AllBeta'] ?? false) !== true) return [];
  return Object.keys(optionalGroups()).filter((name) => {
    const stability = name.includes('alpha') ? 'api/alpha' : 'api/beta';
    return runtimeConfig[name] ?? runtimeConfig[stability] ?? runtimeConfig['api/all'] ?? false;
  });
}

/** Reads `A=true,B=false`; a key of `--runtime-config` alone means true. The error is a sentence. */
function readSwitches(text: string, bare: boolean): Result<{ readonly [key: string]: boolean }, string> {
  const out: Record<string, boolean> = {};
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue;
    const [key = '', value] = part.split('=', 2).map((one) => one.trim());
    if (value === undefined && !bare) return err(`missing bool value for ${key}`);
    if (value !== undefined && !/^(true|false|1|0|t|f)?$/i.test(value))
      return err(`invalid value of ${key}=${value}: use true or false`);
    out[key] = value === undefined || value === '' || /^(true|1|t)$/i.test(value);
  }
  return ok(out);
}

/** The two flags' texts; unknown gates and versions are errors, told in a sentence. */
export function readFeatures(gates: string, config: string): Result<Features, string> {
  const featureGates = readSwitches(gates, false);
  if (!featureGates.ok) return featureGates;
  const runtimeConfig = readSwitches(config, true);
  if (!runtimeConfig.ok) return runtimeConfig;
  for (const gate of Object.keys(featureGates.value))
    if (!GATES.includes(gate)) return err(`unrecognized feature gate: ${gate} (known are ${GATES.join(', ')})`);
  const versions = Object.keys(optionalGroups());
  for (const key of Object.keys(runtimeConfig.value))
    if (!EVERY.includes(key) && !versions.includes(key))
      return err(`no API version ${key} can be switched (known are ${[...versions, ...EVERY].join(', ')})`);
  return ok({ featureGates: featureGates.value, runtimeConfig: runtimeConfig.value });
}
