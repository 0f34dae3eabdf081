import { describe, expect, it } from 'vitest';
import { compileExpression, parseExpression } from './expression.ts';
import { expressionRule } from './expression-rules.ts';

const messageOf = (result: { readonly ok: boolean; readonly error?: string }): string =>
  result.ok ? 'ok' : (result.error ?? '');

describe('an expression over declared variables', () => {
  it.each([
    ['self.metadata.name == dep.metadata.name', 'ok'],
    ['dep.a && self.b', 'ok'],
    ['dep.metadata.name', 'CEL expression output type mismatch: expected bool, got dyn'],
    ['1', 'CEL expression output type mismatch: expected bool, got int'],
    ['"a"', 'CEL expression output type mismatch: expected bool, got string'],
    [
      'foo.bar',
      "failed to parse the CEL expression 'foo.bar': ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo.bar\n | ^",
    ],
  ])('%s: %s', (text, message) => {
    expect(messageOf(compileExpression(text, ['self', 'dep']))).toBe(message);
  });
});

describe('an expression over whatever it names', () => {
  it.each([
    ['metadata.name.foo()', /undeclared reference to 'foo'/],
    ['unknown == 1', /: no such attribute\(s\): unknown$/],
    ["data.key == 'one'", /: no such attribute\(s\): data\.key$/],
    ["data['a.b'].c == 'one'", /: no such attribute\(s\): data\.a\.b\.c$/],
    ['data[0].key == 1', /: no such attribute\(s\): data$/],
    ['has(data.key)', /: no such attribute\(s\): data\.key$/],
    ['has(metadata.labels.app)', /: no such key: labels$/],
    ['1 + 1', /failed to evaluate CEL expression as boolean/],
  ])('%s fails when it is evaluated, not before', (text, message) => {
    const parsed = parseExpression(text);
    if (!parsed.ok) throw new Error(parsed.error);
    expect(messageOf(parsed.value.evaluate({ metadata: { name: 'x' } }))).toMatch(message);
  });

  it('is refused where it is none', () => {
    expect(messageOf(parseExpression('(('))).toMatch(/^failed to parse the CEL expression '\(\('/);
  });
});

it.each([
  [['v1', 'ConfigMap'], 'duplicate custom health check for GroupKind ConfigMap at healthchecks[1]'],
  [['apps/v1', 'Deployment'], 'duplicate custom health check for GroupKind Deployment.apps at healthchecks[1]'],
  [['a.b/v1', undefined], 'duplicate custom health check for GroupKind .a.b at healthchecks[1]'],
])('two rules for %j are refused', ([apiVersion = '', kind], message) => {
  const rule = { apiVersion, current: 'true', ...(kind === undefined ? {} : { kind }) };
  expect(messageOf(expressionRule([rule, rule]))).toBe(message);
});
