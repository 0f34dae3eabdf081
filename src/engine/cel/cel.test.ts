import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../base/json.ts';
import { compileCel, evaluate, toCel, untypedEnvironment } from './cel.ts';
import { toJson } from './operators.ts';
import { typeOfSchema } from './types.ts';

const self: JsonObject = {
  spec: { replicas: 3, list: [1, 2, 3], map: { a: 1, b: 2 }, text: 'a,b,c' },
  status: { conditions: [{ type: 'Ready', status: 'True' }], readyReplicas: 3 },
  'a.b': 'dotted',
};

function run(text: string, costLimit?: number): unknown {
  const program = compileCel(text, untypedEnvironment('self'));
  if (!program.ok) return program.error.message;
  const result = evaluate(program.value, { self: toCel(self) }, costLimit === undefined ? {} : { costLimit });
  return result.ok ? toJson(result.value.value) : result.error.message;
}

describe('expressions without types', () => {
  it.each<[string, unknown]>([
    ['self.spec.replicas == 3 && self.status.readyReplicas >= self.spec.replicas', true],
    ["self.status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')", true],
    ['has(self.status.nothing)', false],
    ["self.?status.?nothing.orValue('default')", 'default'],
    ['self.spec.list.map(x, x * 2).sum()', 12],
    ['self.spec.map.transformList(k, v, k + string(v))', ['a1', 'b2']],
    ["{'a': 1, ?'b': optional.none()}", { a: 1 }],
    ['[1, 2].exists(x, x / 0 == 1 || x == 2)', true],
    ['cel.bind(x, 5, x + 1)', 6],
    ['1 / 0', 'division by zero'],
    ['9223372036854775807 + 1', 'integer overflow'],
    ['self.spec.list[5]', 'index out of bounds: 5'],
    ['self.nothing', 'no such key: nothing'],
    ['self.a__dot__b', 'dotted'],
    ['dyn(1) == 1.0', true],
    ["'%s is %d%% of %.1f'.format(['a', 5, 2.5])", 'a is 5% of 2.5'],
    ["quantity('1.5Gi').isGreaterThan(quantity('1Mi'))", true],
    ["timestamp('2000-02-28T23:00:00Z') + duration('2h')", '2000-02-29T01:00:00Z'],
    ["timestamp('2026-11-22T00:00:00Z').getDayOfWeek()", 0],
    ["url('https://a.b:80/c?x=1').getHostname()", 'a.b'],
    ["cidr('10.0.0.0/8').containsIP('11.0.0.1')", false],
    ["string(ip('2001:db8:0:0:0:0:0:1'))", '2001:db8::1'],
    ["semver('1.2.3').isLessThan(semver('1.10.0-rc.1'))", true],
    ["format.dns1123Label().validate('a.b').value()[0]", 'must not contain dots'],
    ["'ab12cd'.find('[0-9]+')", '12'],
    ["'abc'.matches('(?=a)')", 'error parsing regexp: invalid pattern: `(?=a)`'],
    ["b'\\xff\\x00'.size()", 2],
  ])('%s', (text, expected) => {
    expect(run(text)).toEqual(expected);
  });

  it('stops when the cost budget is used up, whatever absorbs errors', () => {
    expect(run('self.spec.list.all(a, self.spec.list.all(b, self.spec.list.all(c, true))) || true', 20)).toBe(
      'operation cancelled: actual cost limit exceeded',
    );
  });

  it('refuses nesting that would end the stack', () => {
    expect(run(`${'('.repeat(1000)}1${')'.repeat(1000)}`)).toContain('recursion limit');
  });
});

describe('checking against a schema', () => {
  const type = typeOfSchema({ type: 'object', properties: { a: { type: 'integer' } } }, () => undefined);
  it.each([
    ['self.zz > 1', "ERROR: <input>:1:5: undefined field 'zz'\n | self.zz > 1\n | ....^"],
    [
      "self.a == 'x'",
      "ERROR: <input>:1:8: found no matching overload for '_==_' applied to '(int, string)'\n | self.a == 'x'\n | .......^",
    ],
    ['nobody', "ERROR: <input>:1:1: undeclared reference to 'nobody' (in container '')\n | nobody\n | ^"],
  ])('%s', (text, message) => {
    const program = compileCel(text, { variables: { self: type } });
    expect(program.ok ? 'compiles' : program.error.message).toBe(message);
  });
});
