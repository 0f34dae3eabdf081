import { utf8Text } from '../../base/files.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { quoted } from '../yaml/go-syntax.ts';
import { printYaml } from '../yaml/print.ts';
import { Accumulator } from './accumulator.ts';
import { type BuildTrack, referralOf } from './build-track.ts';
import { builtinConfigs } from './builtin-configs.ts';
import type { KustomizeCache } from './cache.ts';
import { loadCrds } from './crds.ts';
import { fail, KustomizeFailure, panicking, withPrefix, wrapped } from './failure.ts';
import { loadKustomizationFile } from './find-kustomization.ts';
import { mergeOptions } from './generate.ts';
import { goEncode } from './go-decode.ts';
import { goList } from './key-values.ts';
import {
  deprecationWarnings,
  fieldProblems,
  fixKustomization,
  GENERATOR_ARGS,
  isEmptyKustomization,
  type Kustomization,
  readKustomization,
} from './kustomization-type.ts';
import type { Layers } from './layers.ts';
import { joinPath, type Loader } from './load.ts';
import { fixNameReferences } from './name-references.ts';
import {
  addTransformation,
  appendOrigin,
  NO_ORIGIN,
  ORIGIN_ANNOTATION,
  type Origin,
  printOrigin,
  setOrigin,
} from './origin.ts';
import { readResources } from './read-resources.ts';
import { isSeparable } from './rebuild.ts';
import type { Resource } from './resource.ts';
import { printGvk, printId } from './resource-id.ts';
import { ResourceMap } from './resource-map.ts';
import type { SchemaStore } from './schema.ts';
import {
  defaultConfig,
  EMPTY_CONFIG,
  fieldSpec,
  mergeConfigs,
  readConfig,
  type TransformerConfig,
} from './transformer-config.ts';
import { addHashes, GENERATORS, type Generate, type PluginHelpers, setEntries, TRANSFORMERS } from './transformers.ts';
import { mergeVars, printVars, resolveVars } from './vars.ts';

/** What all targets of a build share. */
export interface BuildContext {
  readonly schemas: SchemaStore;
  readonly sha256: (bytes: Uint8Array) => string;
  readonly inflate: PluginHelpers['inflate'];
  readonly warnings: string[];
  readonly cache: KustomizeCache;
  readonly track: BuildTrack;
  readonly filesRead: Set<string>;
  /** What other builds, or this one, made of kustomizations below; undefined where a build stands for itself. */
  readonly layers: Layers | undefined;
}

interface Origined<T> {
  readonly run: T;
  readonly origin: Origin | undefined;
}

/** One kustomization and how it is built (api/internal/target/kusttarget.go). */
export class Target {
  readonly loader: Loader;
  readonly kustomization: Kustomization;
  private readonly fileName: string;
  private readonly context: BuildContext;
  private readonly buildMetadata: readonly string[];
  private origin: Origin | undefined;
  private readonly helmNamespace: string;

  /** Reads the kustomization at `loader`. @throws KustomizeFailure */
  constructor(loader: Loader, context: BuildContext, parent?: Target) {
    this.loader = loader;
    this.context = context;
    const { content, name } = loadKustomizationFile(loader);
    const text = utf8Text(content);
    if (text === undefined) fail('invalid Kustomization: yaml: invalid leading UTF-8 octet');
    const read = context.cache.kustomization(text, readKustomization);
    context.warnings.push(...deprecationWarnings(read));
    const fixed = fixKustomization(read);
    if (isEmptyKustomization(fixed)) fail('kustomization.yaml is empty');
    const problems = fieldProblems(fixed);
    if (problems.length > 0) fail(`Failed to read kustomization file under ${loader.root}:\n${problems.join('\n')}`);
    this.kustomization = fixed;
    this.fileName = name;
    if (!isSeparable(fixed)) context.track.noteInseparable();
    context.track.noteRoot(loader.rootInTree, loader.depth);
    this.buildMetadata = parent?.buildMetadata ?? fixed.buildMetadata ?? [];
    this.origin = parent?.origin;
    const namespace = parent?.kustomization.namespace ?? '';
    this.helmNamespace = namespace === '' ? (parent?.helmNamespace ?? '') : namespace;
  }

  /** Hands the `openapi` field to the schemas. */
  useSchema(reset: boolean): void {
    const openapi = this.kustomization.openapi ?? {};
    // The schemas of one build are one: what comes later sees them too.
    if (Object.keys(openapi).length > 0) this.context.track.repeatable = false;
    const path = openapi['path'];
    const content = path === undefined ? undefined : (utf8Text(this.loader.load(path)) ?? '');
    this.context.schemas.use(openapi, content, reset);
  }

  /** Builds everything: resources with final names, references and variables. */
  build(): ResourceMap {
    this.origin = this.buildMetadata.length > 0 ? NO_ORIGIN : undefined;
    const { track } = this.context;
    if (this.origin !== undefined) track.repeatable = false;
    const accumulator = this.accumulate(this.nothing());
    const { resources, config } = accumulator;
    addHashes(resources, this.context.sha256);
    if (track.only === undefined && track.separable) track.referrals = resources.list.map(referralOf);
    fixNameReferences(
      resources.list,
      config.nameReference,
      track.only === undefined ? resources.list : track.referrals,
    );
    const unused = resolveVars(resources, accumulator.vars, config.varReference);
    if (unused.length > 0)
      this.context.warnings.push(`well-defined vars that were never replaced: ${unused.join(',')}`);
    const result = new ResourceMap();
    for (const resource of resources.list) {
      if (resource.isNilOrEmpty()) continue;
      const local = resource.annotation('config.kubernetes.io/local-config');
      // A patch may have given two resources one id. (kustomize@5.8 target IgnoreLocal)
      if (local === undefined || local === 'false') panicking(() => result.append(resource));
    }
    return result;
  }

  private nothing(): Accumulator {
    const accumulator = new Accumulator();
    accumulator.resources.partial = this.context.track.only !== undefined;
    return accumulator;
  }

  accumulate(into: Accumulator): Accumulator {
    const k = this.kustomization;
    wrapped('accumulating resources', () => this.accumulateResources(into, k.resources ?? []));
    const config = this.loadConfiguration();
    into.mergeConfig(config);
    const crds = wrapped(`loading CRDs ${goList(k.crds ?? [])}`, () => loadCrds(this.loader, k.crds ?? []));
    into.mergeConfig(crds);
    if (this.context.track.only === undefined) this.runGenerators(into);
    const full = wrapped('accumulating components', () => this.accumulateComponents(into, k.components ?? []));
    this.runTransformers(full);
    this.runValidators(full);
    wrapped(`merging vars ${printVars(k.vars ?? [])}`, () => {
      full.vars = mergeVars(full.vars, k.vars ?? [], full.resources);
    });
    return full;
  }

  private loadConfiguration(): TransformerConfig {
    const paths = this.kustomization.configurations ?? [];
    if (paths.length === 0) return defaultConfig();
    let read = EMPTY_CONFIG;
    for (const path of paths) read = mergeConfigs(read, readConfig(utf8Text(this.loader.load(path)) ?? ''));
    return mergeConfigs(defaultConfig(), read);
  }

  private accumulateResources(into: Accumulator, paths: readonly string[]): void {
    for (const path of paths) {
      let fileFailure: KustomizeFailure;
      try {
        this.accumulateFile(into, path);
        continue;
      } catch (failure) {
        if (!(failure instanceof KustomizeFailure) || failure.code === 'http') throw failure;
        fileFailure = failure;
      }
      let loader: Loader;
      try {
        loader = this.loader.enter(path);
      } catch (failure) {
        if (failure instanceof KustomizeFailure && isMalformed(fileFailure)) throw fileFailure;
        throw withPrefix(`accumulation err='${fileFailure.message}'`, failure);
      }
      wrapped(`accumulation err='${fileFailure.message}'`, () =>
        this.withOrigin(path, () => this.accumulateDirectory(into, loader, false)),
      );
    }
  }

  private withOrigin<T>(path: string, act: () => T): T {
    const { origin } = this;
    if (origin === undefined) return act();
    this.origin = appendOrigin(origin, path);
    const result = act();
    this.origin = origin;
    return result;
  }

  private accumulateFile(into: Accumulator, path: string): void {
    const { track } = this.context;
    const place = `${this.loader.rootInTree}\0${path}`;
    if (track.leavesOut(place)) return;
    const resources = wrapped(`accumulating resources from '${path}'`, () => this.readFile(path));
    track.note(place, this.loader.lastRead, resources);
    const { origin } = this;
    if (origin !== undefined) {
      const text = printOrigin(appendOrigin(origin, path));
      for (const resource of resources) setEntries(resource, { [ORIGIN_ANNOTATION]: text }, [ANNOTATIONS_FIELD]);
    }
    wrapped(`merging resources from '${path}'`, () => into.resources.appendAll(resources));
  }

  private readFile(path: string): readonly Resource[] {
    const content = this.loader.load(path);
    try {
      return unique(readResources(content, this.context.schemas, this.context.cache));
    } catch (failure) {
      if (!(failure instanceof KustomizeFailure)) throw failure;
      if (isMalformed(failure)) throw new KustomizeFailure(`${failure.message} in File: ${path}`, failure.code);
      throw failure;
    }
  }

  private accumulateComponents(into: Accumulator, paths: readonly string[]): Accumulator {
    let accumulator = into;
    for (const path of paths) {
      let loader: Loader;
      try {
        loader = this.loader.enter(path);
      } catch (failure) {
        if (!(failure instanceof KustomizeFailure)) throw failure;
        return fail(`loader.New ${quoted(failure.message)}`);
      }
      const before = accumulator;
      try {
        accumulator = this.withOrigin(path, () => this.accumulateDirectory(before, loader, true));
      } catch (failure) {
        if (!(failure instanceof KustomizeFailure)) throw failure;
        return fail(`accumulateDirectory: ${quoted(failure.message.slice(0, MAX_QUOTED))}`);
      }
    }
    return accumulator;
  }

  private accumulateDirectory(into: Accumulator, loader: Loader, isComponent: boolean): Accumulator {
    const { layers } = this.context;
    const known = isComponent ? undefined : layers?.take(loader, this.context);
    if (known !== undefined) {
      wrapped(`recursed merging from path '${loader.root}'`, () => into.merge(known));
      return into;
    }
    const start = layers?.begin(this.context);
    const target = wrapped(
      `couldn't make target for path '${loader.root}'`,
      () => new Target(loader, this.context, this),
    );
    target.useSchema(false);
    const { kind = '' } = target.kustomization;
    if (isComponent && kind !== 'Component') {
      fail(`expected kind 'Component' for path '${loader.root}' but got '${kind}'`);
    }
    if (!isComponent && kind === 'Component') fail(`expected kind != 'Component' for path '${loader.root}'`);
    const below = wrapped(`recursed accumulation of path '${loader.root}'`, () =>
      target.accumulate(isComponent ? into : this.nothing()),
    );
    if (start !== undefined && !isComponent) layers?.keep(start, loader, below, this.context);
    // A component works on what is there: its result takes the place of that.
    const result = isComponent ? this.nothing() : into;
    wrapped(`recursed merging from path '${loader.root}'`, () => result.merge(below));
    return result;
  }

  private helpers(): PluginHelpers {
    const { schemas, sha256, inflate } = this.context;
    return { loader: this.loader, schemas, sha256, inflate };
  }

  private builtinOrigin(kind: string): Origin | undefined {
    const { origin } = this;
    if (origin === undefined) return undefined;
    const configuredIn = joinPath(origin.path, this.fileName);
    const configuredBy = { apiVersion: 'builtin', kind, name: '', namespace: '' };
    return { path: '', repo: origin.repo, ref: origin.ref, configuredIn, configuredBy };
  }

  private configure<T>(
    table: ReadonlyMap<string, (config: Json, yaml: string, helpers: PluginHelpers) => T>,
    kind: string,
    config: JsonObject,
  ): Origined<T> {
    const make = table.get(kind) as (config: Json, yaml: string, helpers: PluginHelpers) => T;
    let yaml: string | undefined;
    const asYaml = (): string => {
      yaml ??= printYaml(config);
      return yaml;
    };
    try {
      // Only a patch shows its configuration in a message of its own.
      const run = make(config, kind === 'PatchTransformer' ? asYaml() : '', this.helpers());
      return { run, origin: this.builtinOrigin(kind) };
    } catch (failure) {
      throw withPrefix(`trouble configuring builtin ${kind} with config: \`\n${asYaml()}\``, failure);
    }
  }

  private runGenerators(into: Accumulator): void {
    const k = this.kustomization;
    const generators: Origined<Generate>[] = [];
    for (const kind of ['ConfigMap', 'Secret'] as const) {
      for (const args of (kind === 'ConfigMap' ? k.configMapGenerator : k.secretGenerator) ?? []) {
        const options = mergeOptions(args.options, k.generatorOptions);
        const config = goEncode(
          { ...args, ...(options !== undefined && { options }) } as unknown as Json,
          GENERATOR_ARGS,
        ) as JsonObject;
        generators.push(this.configure(GENERATORS, `${kind}Generator`, config));
      }
    }
    for (const chart of k.helmCharts ?? []) {
      const inherited = (k.namespace ?? '') === '' ? this.helmNamespace : (k.namespace as string);
      const namespace = (chart['namespace'] ?? '') === '' ? inherited : (chart['namespace'] as string);
      const config = { ...k.helmGlobals, ...chart, ...(namespace !== '' && { namespace }) };
      generators.push(this.configure(GENERATORS, 'HelmChartInflationGenerator', config));
    }
    generators.push(
      ...wrapped('loading generator plugins', () => {
        const configs = this.pluginConfigs(k.generators ?? [], 'generator');
        return configs.list.map((resource) => this.loadPlugin(GENERATORS, resource, 'generator'));
      }),
    );
    for (const { run, origin } of generators) {
      const resources = run();
      if (origin !== undefined) {
        for (const resource of resources) {
          if (resource.annotation(ORIGIN_ANNOTATION) === undefined) setOrigin(resource, origin);
        }
      }
      // Go prints the generator itself here, pointers and all: only what it could not do is worth repeating.
      wrapped('merging from generator', () => into.resources.absorb(resources));
    }
  }

  /** Configurations of plugins: files, directories, or inline. */
  private pluginConfigs(entries: readonly string[], what: 'generator' | 'transformer'): ResourceMap {
    const accumulator = new Accumulator();
    const paths: string[] = [];
    for (const entry of entries) {
      let resources: readonly Resource[];
      try {
        resources = unique(readResources(entry, this.context.schemas));
      } catch (failure) {
        if (!(failure instanceof KustomizeFailure)) throw failure;
        paths.push(entry);
        continue;
      }
      const { origin } = this;
      if (origin !== undefined)
        for (const resource of resources) setOrigin(resource, appendOrigin(origin, this.fileName));
      wrapped(`configuring external ${what}`, () => accumulator.resources.appendAll(resources));
    }
    this.accumulateResources(accumulator, paths);
    return accumulator.resources;
  }

  private loadPlugin<T>(
    table: ReadonlyMap<string, (config: Json, yaml: string, helpers: PluginHelpers) => T>,
    resource: Resource,
    what: 'generator' | 'transformer',
  ): Origined<T> {
    const prefix = what === 'generator' ? 'failed to load generator' : '';
    const act = (): Origined<T> => {
      const gvk = resource.gvk();
      if (gvk.group !== '' || gvk.version !== 'builtin') {
        fail(`external plugins disabled; unable to load external plugin '${resource.originalId().kind}'`);
      }
      const other: ReadonlyMap<string, unknown> = what === 'generator' ? TRANSFORMERS : GENERATORS;
      const make = table.get(gvk.kind);
      if (make === undefined) {
        if (!other.has(gvk.kind)) fail(`unable to load builtin ${printGvk(gvk)}`);
        return fail(`plugin ${printId(resource.originalId())} not a ${what}`);
      }
      const config = wrapped(`marshalling yaml from res ${printId(resource.originalId())}`, () => resource.toJson());
      const run = wrapped(`plugin ${printId(resource.originalId())} fails configuration`, () =>
        make(config, resource.toYaml(), this.helpers()),
      );
      return { run, origin: pluginOrigin(resource) };
    };
    return prefix === '' ? act() : wrapped(prefix, act);
  }

  private runTransformers(into: Accumulator): void {
    const transformers = [
      ...builtinConfigs(this.kustomization, into.config).map(({ kind, config }) =>
        this.configure(TRANSFORMERS, kind, config),
      ),
      ...this.pluginConfigs(this.kustomization.transformers ?? [], 'transformer').list.map((resource) =>
        this.loadPlugin(TRANSFORMERS, resource, 'transformer'),
      ),
    ];
    for (const { run, origin } of transformers) {
      run(into.resources);
      if (origin !== undefined) for (const resource of into.resources.list) addTransformation(resource, origin);
      into.resources.dropEmpties();
    }
  }

  private runValidators(into: Accumulator): void {
    const configs = this.pluginConfigs(this.kustomization.validators ?? [], 'transformer').list;
    const validators = configs.map((resource) => this.loadPlugin(TRANSFORMERS, resource, 'transformer'));
    for (const { run } of validators) {
      const before = snapshot(into.resources.list, false);
      run(into.resources);
      const after = snapshot(into.resources.list, true);
      for (const [id, text] of before) {
        const now = after.get(id);
        if (now === undefined)
          fail(`validator shouldn't modify the resource map: id in self missing from other; id: ${id}`);
        if (now !== text)
          fail(`validator shouldn't modify the resource map: nodes unequal: \n -- ${text},\n -- ${now}\n`);
      }
    }
  }
}

/** What a validator leaves as it was, but for the label that it may set. */
function snapshot(resources: readonly Resource[], validated: boolean): ReadonlyMap<string, string> {
  return new Map(
    resources.map((resource) => {
      const copy = resource.copy();
      const labels = copy.labels();
      if (validated && labels.delete('validated-by')) copy.setLabels(labels);
      return [printId(resource.id()), copy.toYaml()];
    }),
  );
}

/** Longest message that is quoted: each component around it doubles its backslashes. */
const MAX_QUOTED = 100_000;

const ANNOTATIONS_FIELD = fieldSpec({ path: 'metadata/annotations', create: true });

function pluginOrigin(resource: Resource): Origin | undefined {
  const text = resource.annotation(ORIGIN_ANNOTATION);
  if (text === undefined) return undefined;
  const part = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
  return {
    path: '',
    repo: part('repo'),
    ref: part('ref'),
    configuredIn: part('path'),
    configuredBy: {
      apiVersion: resource.apiVersion(),
      kind: resource.kind(),
      name: resource.name(),
      namespace: resource.namespace(),
    },
  };
}

function isMalformed(failure: KustomizeFailure): boolean {
  return failure.message.includes('MalformedYAMLError');
}

/** A file must not hold an id twice. */
function unique(resources: readonly Resource[]): readonly Resource[] {
  if (resources.length > 1) new ResourceMap().appendAll(resources);
  return resources;
}
