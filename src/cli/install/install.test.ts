import { describe, expect, test } from 'vitest';
import { at, isArray, stringAt } from '../../base/json.ts';
import { engineConfig, engineFlags } from '../engine-flags.ts';
import { FlagValues, parseArguments } from '../flags.ts';
import { globalFlags } from '../global-flags.ts';
import { chooseComponents, DEFAULT_COMPONENTS } from './components.ts';
import { installObjects, withoutKinds } from './manifest.ts';
import { CURRENT_VERSION, type InstallOptions } from './options.ts';

const OPTIONS: InstallOptions = {
  namespace: 'flux-system',
  components: DEFAULT_COMPONENTS,
  registry: 'registry.example/weir',
  version: CURRENT_VERSION,
  watchAllNamespaces: true,
  networkPolicy: true,
  logLevel: 'info',
  clusterDomain: 'cluster.local',
  tolerationKeys: [],
};

describe('the installation', () => {
  test('starts the engine with flags that it knows', () => {
    const deployment = installObjects(OPTIONS).find(({ kind }) => kind === 'Deployment');
    const containers = at(deployment?.spec, 'template', 'spec', 'containers');
    const container = isArray(containers) ? containers[0] : undefined;
    const [verb, ...args] = at(container, 'args') as readonly string[];
    expect(verb).toBe('run');
    expect(stringAt(container, 'image')).toBe(`registry.example/weir/weir:${CURRENT_VERSION}`);
    const definitions = [...globalFlags({}), ...engineFlags({})];
    const parsed = parseArguments(args, definitions);
    if (!parsed.ok) throw new Error(parsed.error);
    const config = engineConfig(new FlagValues(definitions, parsed.value.given), {});
    expect(config.ok ? config.value.storagePath : config.error).toBe('/data');
  });

  test('serves artifacts under the name that Flux users rely on', () => {
    const service = installObjects(OPTIONS).find(({ kind }) => kind === 'Service');
    expect(service?.metadata.name).toBe('source-controller');
    const ports = at(service?.spec, 'ports');
    expect(isArray(ports) && at(ports[0], 'targetPort')).toBe('http');
  });

  test('has only the kinds of the components that are chosen', () => {
    const names = (components: readonly string[]): readonly string[] =>
      installObjects({ ...OPTIONS, components })
        .filter(({ kind }) => kind === 'CustomResourceDefinition')
        .map(({ metadata }) => metadata.name);
    expect(names(['kustomize-controller'])).toEqual(['kustomizations.kustomize.toolkit.fluxcd.io']);
    expect(names(['helm-controller'])).toEqual([]);
    expect(withoutKinds(['source-controller', 'helm-controller'])).toEqual(['helm-controller']);
  });

  test('labels every object, so that an uninstallation finds it', () => {
    const unlabelled = installObjects(OPTIONS).filter(
      ({ metadata }) => metadata.labels?.['app.kubernetes.io/part-of'] !== 'flux',
    );
    expect(unlabelled).toEqual([]);
  });
});

test('components are taken once, unknown ones refused with the known', () => {
  expect(chooseComponents(['source-controller', 'source-controller'])).toEqual({
    ok: true,
    value: ['source-controller'],
  });
  const refused = chooseComponents(['nope']);
  expect(refused.ok ? '' : refused.error.message).toContain(
    'component nope is not available, known components are: source-controller,',
  );
});
