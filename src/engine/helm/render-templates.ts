import type { Json, JsonObject } from '../../base/json.ts';
import { Budget } from '../gotemplate/budget.ts';
import { Executor } from '../gotemplate/execute.ts';
import { ExecutionError } from '../gotemplate/execution-error.ts';
import { func } from '../gotemplate/func.ts';
import { fromBytes } from '../gotemplate/go-string.ts';
import { ANY, STRING } from '../gotemplate/go-type.ts';
import { TemplateSet } from '../gotemplate/template-set.ts';
import { type Func, GoError, TypedMap, type Value } from '../gotemplate/value.ts';
import { templateFunctions } from '../sprig/functions.ts';
import type { TemplateHost } from '../sprig/host.ts';
import { quoted } from '../yaml/go-syntax.ts';
import type { Capabilities } from './capabilities.ts';
import type { Chart } from './chart.ts';
import type { Warn } from './coalesce.ts';
import { fail } from './failure.ts';
import { filesObject } from './files-object.ts';
import { capabilitiesObject, chartObject, type ReleaseOptions, releaseObject } from './objects.ts';
import { executionErrorMessage, marked, parseErrorMessage } from './template-error.ts';
import { MapView, toTemplateValue, VALUES } from './template-values.ts';

/** The object or list that `lookup` finds; an empty name asks for a list. */
export type Lookup = (apiVersion: string, kind: string, namespace: string, name: string) => Json;

export interface TemplateOptions {
  readonly release: ReleaseOptions;
  readonly capabilities: Capabilities;
  readonly host: TemplateHost;
  /** Without it `lookup` finds nothing, as where Helm has no cluster. */
  readonly lookup?: Lookup;
  /** A key that a map does not have is an error. */
  readonly strict?: boolean;
  /** `required` and `fail` only warn. */
  readonly lint?: boolean;
  readonly warn: Warn;
}

/** Names that `include` calls inside of each other. Source: helm@4.1.4 pkg/engine/engine.go. */
const MAX_RECURSION = 1000;
/** A template that is inside of itself so often goes through no tree that somebody wrote. */
const NO_TREE_DEPTH = 100;
/** Templates that are called without `include` on the way there. */
const MAX_OTHER_DEPTH = 50;

type ValueMap = Map<string, Value>;

interface Renderable {
  readonly text: string;
  readonly data: ValueMap;
  readonly basePath: string;
}

/**
 * What the templates of a chart and of those in it give, by path; partials (`_*`) give nothing by themselves.
 * Source: helm@4.1.4 pkg/engine/engine.go.
 * @param values coalesced, with those of the dependencies under their names
 * @throws HelmFailure
 */
export function renderTemplates(
  chart: Chart,
  values: JsonObject,
  options: TemplateOptions,
): ReadonlyMap<string, string> {
  const shared: ValueMap = new Map<string, Value>([
    ['Release', releaseObject(options.release)],
    ['Capabilities', capabilitiesObject(options.capabilities)],
  ]);
  const root = toTemplateValue(values) as ValueMap;
  const templates = new Map<string, Renderable>();
  collect(chart, chart.metadata.name, root, shared, templates, true);
  const names = [...templates.keys()].sort(deepestFirst);
  const renderer = new Renderer(options);
  for (const name of names) renderer.parse(name, (templates.get(name) as Renderable).text);
  const rendered = new Map<string, string>();
  for (const name of names) {
    if (name.slice(name.lastIndexOf('/') + 1).startsWith('_')) continue;
    const { data, basePath } = templates.get(name) as Renderable;
    data.set(
      'Template',
      new TypedMap(VALUES, [
        ['Name', name],
        ['BasePath', basePath],
      ]),
    );
    rendered.set(name, renderer.execute(name, new MapView(VALUES, data)));
  }
  return rendered;
}

/** Gathers the templates of a chart, each with the values that its chart sees. */
function collect(
  chart: Chart,
  path: string,
  values: ValueMap,
  shared: ValueMap,
  into: Map<string, Renderable>,
  isRoot: boolean,
): ValueMap {
  const { metadata } = chart;
  const subcharts: ValueMap = new Map();
  const data: ValueMap = new Map<string, Value>([
    ['Chart', chartObject(metadata, isRoot)],
    ['Files', filesObject(chart.files)],
    ...shared,
    ['Values', new MapView(VALUES, values)],
    ['Subcharts', subcharts],
  ]);
  for (const child of chart.dependencies) {
    const { name } = child.metadata;
    subcharts.set(name, collect(child, `${path}/charts/${name}`, tableAt(values, name), shared, into, false));
  }
  const isLibrary = metadata.type.toLowerCase() === 'library';
  for (const { name, data: bytes } of chart.templates) {
    if (isLibrary && !name.slice(name.lastIndexOf('/') + 1).startsWith('_')) continue;
    into.set(`${path}/${name}`, { text: fromBytes(bytes), data, basePath: `${path}/templates` });
  }
  return data;
}

function tableAt(values: ValueMap, path: string): ValueMap {
  let table = values;
  for (const step of path.split('.')) {
    const next = table.get(step);
    if (!(next instanceof Map)) return new Map();
    table = next;
  }
  return table;
}

/** More slashes first, then later names first. */
function deepestFirst(a: string, b: string): number {
  const slashes = (text: string): number => text.split('/').length;
  return slashes(b) - slashes(a) || (a < b ? 1 : a > b ? -1 : 0);
}

/** Templates, and what executes them. */
interface Templates {
  readonly set: TemplateSet;
  readonly executor: Executor;
}

class Renderer {
  private readonly options: TemplateOptions;
  private readonly templates: Templates;
  private readonly budget = new Budget({ depth: MAX_RECURSION + MAX_OTHER_DEPTH });
  private readonly included = new Map<string, number>();

  constructor(options: TemplateOptions) {
    this.options = options;
    const functions = templateFunctions(options.host);
    functions.set(
      'required',
      func([STRING, ANY], (message, value) => this.required(message, value)),
    );
    functions.set(
      'fail',
      func([STRING], (message) => this.refuse(`funcMap fail: ${message}`, message)),
    );
    functions.set(
      'lookup',
      func([STRING, STRING, STRING, STRING], (...asked) => this.lookup(...asked)),
    );
    this.templates = this.withCalls(new TemplateSet('gotpl', functions));
  }

  parse(name: string, text: string): void {
    try {
      this.templates.set.parse(name, text);
    } catch (failure) {
      if (!(failure instanceof GoError)) throw failure;
      fail('template', parseErrorMessage(name, failure));
    }
  }

  execute(name: string, data: Value): string {
    try {
      return withoutNoValue(this.templates.executor.execute(name, data));
    } catch (failure) {
      if (!(failure instanceof GoError)) throw failure;
      return fail('template', executionErrorMessage(name, failure));
    }
  }

  /** The same templates with an `include` and a `tpl` that see what is added to them. */
  private withCalls(base: TemplateSet): Templates {
    const functions = new Map<string, Func>(base.functions);
    const set = base.overlay(base.name, functions);
    const missingKey = this.options.strict === true ? 'error' : 'zero';
    const executor = new Executor(set, { missingKey, budget: this.budget });
    functions.set('include', this.include(executor));
    functions.set(
      'tpl',
      func([STRING, ANY], (text, data) => this.tpl(set, text, data)),
    );
    return { set, executor };
  }

  /** One function that does all, for the JavaScript stack is short: a frame more for each call would end it before Helm's limit. */
  private include(executor: Executor): Func {
    return func([STRING, ANY], (name, data) => {
      const depth = this.included.get(name) ?? 0;
      if (depth > MAX_RECURSION) throw endless(name);
      this.included.set(name, depth + 1);
      let text: string;
      try {
        text = executor.execute(name, data);
      } catch (failure) {
        this.included.set(name, depth);
        // The stack may have ended all the same.
        throw depth > NO_TREE_DEPTH && isTooDeep(failure) ? endless(name) : failure;
      }
      this.included.set(name, depth);
      return text;
    });
  }

  private tpl(parent: TemplateSet, text: string, data: Value): string {
    const { set, executor } = this.withCalls(parent);
    try {
      set.parse(parent.name, text);
    } catch (failure) {
      throw wrapped(`cannot parse template ${quoted(text)}`, failure);
    }
    try {
      return withoutNoValue(executor.execute(parent.name, data));
    } catch (failure) {
      throw wrapped(`error during tpl function execution for ${quoted(text)}`, failure);
    }
  }

  private required(message: string, value: Value): Value {
    if (value !== null && value !== undefined && value !== '') return value;
    return this.refuse(`missing required value: ${message}`, message);
  }

  private refuse(warning: string, message: string): Value {
    if (this.options.lint !== true) throw marked(message);
    this.options.warn(warning);
    return '';
  }

  private lookup(apiVersion: string, kind: string, namespace: string, name: string): Value {
    if (this.options.lookup === undefined || this.options.lint === true) return new Map();
    return toTemplateValue(this.options.lookup(apiVersion, kind, namespace, name));
  }
}

function endless(name: string): GoError {
  return new GoError(`rendering template has a nested reference name: ${name}: unable to execute template`);
}

function isTooDeep(failure: unknown): boolean {
  return failure instanceof ExecutionError && failure.reason.startsWith('exceeded maximum template depth');
}

function wrapped(what: string, failure: unknown): unknown {
  return failure instanceof GoError ? new GoError(`${what}: ${failure.message}`, { cause: failure }) : failure;
}

/** Go prints this for what is missing, whatever it is told. */
function withoutNoValue(text: string): string {
  return text.replaceAll('<no value>', '');
}
