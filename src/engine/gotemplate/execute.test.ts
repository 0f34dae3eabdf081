import { describe, expect, test } from 'vitest';
import { Budget, type Limits } from './budget.ts';
import { Executor } from './execute.ts';
import { ExecutionError } from './execution-error.ts';
import { func } from './func.ts';
import { ANY, STRING } from './go-type.ts';
import { TemplateSet } from './template-set.ts';
import { type Func, GoError, type Value } from './value.ts';

interface Rendering {
  readonly templates: TemplateSet;
  readonly executor: Executor;
}

function rendering(texts: Readonly<Record<string, string>>, limits: Partial<Limits> = {}): Rendering {
  const functions = new Map<string, Func>();
  const templates = new TemplateSet('gotpl', functions);
  const executor = new Executor(templates, { missingKey: 'zero', budget: new Budget(limits) });
  functions.set(
    'include',
    func([STRING, ANY], (name, data) => executor.execute(name, data)),
  );
  functions.set(
    'put',
    func([ANY, STRING, ANY], (map, key, value) => (map as Map<string, Value>).set(key, value)),
  );
  for (const [name, text] of Object.entries(texts)) templates.parse(name, text);
  return { templates, executor };
}

function render(text: string, data: Value = null, limits: Partial<Limits> = {}): string {
  return rendering({ 'x.yaml': text }, limits).executor.execute('x.yaml', data);
}

describe('a set of templates', () => {
  test('lets a later definition replace an earlier one, unless it is blank', () => {
    const { executor } = rendering({
      a: '{{ define "t" }}one{{ end }}',
      b: '{{ define "t" }}two{{ end }}',
      c: '{{ define "t" }} {{/* nothing */}} {{ end }}',
      x: '{{ template "t" }}',
    });
    expect(executor.execute('x', null)).toBe('two');
  });

  test('keeps what is parsed into an overlay out of the set below', () => {
    const { templates } = rendering({ a: '{{ define "t" }}below{{ end }}{{ template "t" }}' });
    const above = templates.overlay('gotpl');
    above.parse('b', '{{ define "t" }}above{{ end }}{{ template "a" }}');
    expect(new Executor(above).execute('b', null)).toBe('above');
    expect(new Executor(templates).execute('a', null)).toBe('below');
    expect(() => new Executor(templates).execute('b', null)).toThrow(
      'template: no template "b" associated with template "gotpl"',
    );
  });
});

describe('values', () => {
  test('are shared: what a function puts into a map, others see', () => {
    const data = new Map<string, Value>([['m', new Map()]]);
    expect(render('{{ $m := .m }}{{ $_ := put $m "__proto__" 1 }}{{ .m }}{{ index .m "__proto__" }}', data)).toBe(
      'map[__proto__:1]1',
    );
  });

  test('are fixed while a range goes through a map', () => {
    const data = new Map<string, Value>([
      ['a', 1],
      ['b', 2],
    ]);
    expect(render('{{ range $k, $v := . }}{{ $_ := put $ "c" 3 }}{{ $k }}{{ $v }} {{ end }}', data)).toBe('a1 b2 ');
  });
});

describe('an error', () => {
  test('tells its parts, and what caused it', () => {
    const { executor } = rendering({
      'a.tpl': '\n{{ define "é" }}{{ .x.y }}{{ end }}',
      'b.yaml': 'é {{ include "é" . }}',
    });
    let caught: unknown;
    try {
      executor.execute('b.yaml', new Map());
    } catch (error) {
      caught = error;
    }
    const inner = 'template: a.tpl:2:22: executing "é" at <.x.y>: nil pointer evaluating interface {}.y';
    expect(caught).toBeInstanceOf(ExecutionError);
    const { message, location, templateName, context, cause } = caught as ExecutionError;
    expect({ message, location, templateName, context }).toEqual({
      message: `template: b.yaml:1:6: executing "b.yaml" at <include "é" .>: error calling include: ${inner}`,
      location: 'b.yaml:1:6',
      templateName: 'b.yaml',
      context: 'include "é" .',
    });
    expect((cause as ExecutionError).message).toBe(inner);
  });

  test('of a function that is no GoError is a bug, and comes through as it is', () => {
    const bug = new TypeError('bug');
    const functions = new Map<string, Func>([
      [
        'bug',
        func([], () => {
          throw bug;
        }),
      ],
    ]);
    const templates = new TemplateSet('gotpl', functions);
    templates.parse('x', '{{ bug }}');
    expect(() => new Executor(templates).execute('x', null)).toThrow(bug);
  });
});

describe('a hostile template', () => {
  test.each([
    [
      'calls itself',
      '{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}',
      'exceeded maximum template depth (50)',
    ],
    [
      'includes itself',
      '{{ define "r" }}{{ include "r" . }}{{ end }}{{ include "r" . }}',
      'exceeded maximum template depth (50)',
    ],
    ['goes on without end', '{{ range 1000000000000 }}{{ end }}', 'rendering takes more than 100000 steps'],
    [
      'loops in loops',
      '{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}',
      'rendering takes more than 100000 steps',
    ],
    ['writes too much', '{{ range 10000 }}0123456789{{ end }}', 'output is longer than 20000 characters'],
    [
      'doubles a text',
      '{{ $x := "0123456789" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}',
      'text is longer than 50000 characters',
    ],
    [
      'formats wide',
      `{{ $x := printf "${'%1000000d'.repeat(100)}" ${'1 '.repeat(100)} }}`,
      'formatted text is longer than 67108864 bytes',
    ],
    ['pads wide', '{{ printf "%900000d" 1 | len }}', 'text is longer than 50000 characters'],
  ])('that %s ends with an error', (_what, text, message) => {
    const limits = { depth: 50, steps: 100_000, output: 20_000, text: 50_000 };
    expect(() => render(text, null, limits)).toThrow(new RegExp(`^template: x\\.yaml:.*: ${escaped(message)}$`));
  });

  test.each([
    ['template', '{{ define "r" }}{{ with . }}{{ template "r" . }}{{ end }}{{ end }}{{ template "r" . }}'],
    ['include', '{{ define "r" }}{{ with . }}{{ include "r" . | html }}{{ end }}{{ end }}{{ include "r" . }}'],
  ])('that calls itself by %s ends with an error before the stack does', (_what, text) => {
    expect(() => render(text, 'x', { depth: 1_000_000 })).toThrow('exceeded maximum template depth');
  });

  test.each([
    ['parentheses', `{{ ${'('.repeat(10_000)}`],
    ['ifs', '{{ if 1 }}'.repeat(10_000)],
    ['else ifs', `{{ if 1 }}${'{{ else if 1 }}'.repeat(10_000)}`],
    ['blocks', '{{ block "b" . }}'.repeat(10_000)],
  ])('of nested %s is not read', (_what, text) => {
    expect(() => render(text)).toThrow(new GoError('template: x.yaml:1: max expression depth exceeded'));
  });

  test('that puts a map into itself cannot print it', () => {
    expect(() => render('{{ $_ := put . "self" . }}{{ . }}', new Map())).toThrow('nested too deeply');
  });

  test('of one very long line is read in a time that grows with its length', () => {
    expect(render(`{{ 1${' | print'.repeat(50_000)} }}`)).toBe('1');
  });
});

function escaped(text: string): string {
  return text.replace(/[()]/g, '\\$&');
}
