import { describe, expect, it } from 'vitest';
import { type CelEnvironment, compileCel, evaluate, toCel, untypedEnvironment } from './cel.ts';
import { declaredTypeName } from './types.ts';

/** Expectations are what kube-apiserver 1.34.1 answered to policies with these expressions. */
const KUBERNETES: CelEnvironment = { ...untypedEnvironment('object'), libraries: 'kubernetes' };

function outcome(text: string): string {
  const compiled = compileCel(text, KUBERNETES);
  if (compiled.ok) return declaredTypeName(compiled.value.type);
  const [first = ''] = compiled.error.message.split('\n');
  return first.replace('ERROR: <input>:', '');
}

describe('types of expressions', () => {
  it.each([
    ['[1, 2.0]', "1:5: expected type 'int' but found 'double'"],
    ["[1, dyn('a')]", "1:8: expected type 'int' but found 'dyn'"],
    ["{'a': 1, 'b': 'x'}", "1:15: expected type 'int' but found 'string'"],
    ['1 && true', "1:1: expected type 'bool' but found 'int'"],
    ['1 ? 2 : 3', "1:3: found no matching overload for '_?_:_' applied to '(int, int, int)'"],
    ['[1,2,3].all(x, x)', "1:16: expected type 'bool' but found 'int'"],
    ['[1,2,3].filter(x, x)', "1:15: found no matching overload for '_?_:_' applied to '(int, list(int), list(int))'"],
    [
      "'abc'.all(c, true)",
      "1:1: expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)",
    ],
    ['[1,2,3].all(x.y, true)', '1:14: argument must be a simple name'],
    ["'abc'.size() + 'a'", "1:14: found no matching overload for '_+_' applied to '(int, string)'"],
    ['object.a.startsWith(1)', "1:20: found no matching overload for 'startsWith' applied to 'dyn.(int)'"],
    ["['a','b'].sum()", "1:14: found no matching overload for 'sum' applied to 'list(string).()'"],
    ['foo.bar()', "1:1: undeclared reference to 'foo' (in container '')"],
    ['math.greatest(1,2)', "1:1: undeclared reference to 'math' (in container '')"],
    ['[3,1].sort()', "1:11: undeclared reference to 'sort' (in container '')"],
    ["timestamp('2020-13-01T00:00:00Z')", '1:11: invalid timestamp argument'],
    ["duration('1d')", '1:10: invalid duration argument'],
    [
      "'%d'.format(['a'])",
      '1:14: error during formatting: decimal clause can only be used on integers, was given string',
    ],
    ["'%s'.format([])", '1:12: index 0 out of range'],
    ["{'a': 1}.?b", 'optional_type(int)'],
    ['optional.none().value()', 'dyn'],
    ["{'a': 1}.transformList(k, v, k)", 'list(string)'],
    ['[1].transformMap(i, v, string(v))', 'map(int, string)'],
    ["timestamp('2020-01-01T00:00:00Z') - duration('1h')", 'google.protobuf.Timestamp'],
    ['null', 'null_type'],
    ["quantity('1').add(2)", 'kubernetes.Quantity'],
    ["object.a == 1 ? 'x' : object.b", 'dyn'],
  ])('%s', (text, expected) => {
    expect(outcome(text)).toBe(expected);
  });
});

describe('syntax errors', () => {
  it.each([
    ['(1', "1:3: Syntax error: missing ')' at '<EOF>'"],
    ['[1,2', "1:5: Syntax error: mismatched input '<EOF>' expecting {']', ','}"],
    ['1 2', "1:3: Syntax error: extraneous input '2' expecting <EOF>"],
    ['a.', "1:3: Syntax error: no viable alternative at input '.'"],
    ['a ? b', "1:6: Syntax error: mismatched input '<EOF>' expecting ':'"],
    ["{'a' 1}", "1:6: Syntax error: missing ':' at '1'"],
    ['if', '1:1: reserved identifier: if'],
  ])('%s', (text, expected) => {
    expect(outcome(text)).toBe(expected);
  });

  it('marks wide characters widely, and shows tabs as blanks', () => {
    const compiled = compileCel("'Ärger' + \tfoo", KUBERNETES);
    expect(compiled.ok ? '' : compiled.error.message).toContain("\n | 'Ärger' +  foo\n | .．.........^");
  });
});

describe('values', () => {
  const run = (text: string): string => {
    const compiled = compileCel(`'%s'.format([${text}])`, KUBERNETES);
    if (!compiled.ok) return compiled.error.message;
    const result = evaluate(compiled.value, { object: toCel({ data: { b: 'x' } }) });
    if (!result.ok) return result.error.message;
    return typeof result.value.value === 'string' ? result.value.value : 'no text';
  };
  it.each([
    ["{'a': [1, 2]}", '{"a":[1, 2]}'],
    ["'abc'.indexOf('a', 5)", '-1'],
    ["'hello'.substring(3, 1)", 'invalid substring range. start: 3, end: 1'],
    ['object.zz.y', 'no such key: zz'],
    ['object.data.b.c', 'no such key: c'],
    ['int(object.data.b)', "type conversion error from 'string' to 'int'"],
    [
      "ip('10.0.0.256').family()",
      'IP Address "10.0.0.256" parse error during conversion from string: ParseAddr("10.0.0.256"): IPv4 field has value >255',
    ],
    ["ip('::ffff:1.2.3.4').family()", 'IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed'],
    [
      "cidr('10.0.0.1/99').prefixLength()",
      'network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("10.0.0.1/99"): prefix length out of range',
    ],
    ["semver('v1.2').major()", 'No Major.Minor.Patch elements found'],
    ["semver('1.2.3') == semver('1.2.3+b')", 'true'],
    ["quantity('1') == dyn('1')", 'no such overload'],
    ["format.uri().validate('x').value()", '["parse \\"x\\": invalid URI for request"]'],
    ["'%e'.format([3.14159])", '3.141590×10⁰⁰'],
  ])('%s', (text, expected) => {
    expect(run(text)).toBe(expected);
  });

  it('B09: a pattern that backtracks elsewhere is matched in linear time', () => {
    const text = `'${'a'.repeat(2000)}!'`;
    const compiled = compileCel(`${text}.matches('^(a+)+$')`, KUBERNETES);
    expect(compiled.ok && evaluate(compiled.value, {})).toMatchObject({ ok: true, value: { value: false } });
  });

  it('B10: nested loops over many items stop at the budget of one call', () => {
    const compiled = compileCel('object.all(a, object.all(b, object.all(c, object.all(d, true))))', KUBERNETES);
    const object = toCel(Array.from({ length: 10_000 }, (_, index) => index));
    expect(compiled.ok && evaluate(compiled.value, { object })).toEqual({
      ok: false,
      error: { code: 'cost', message: 'operation cancelled: actual cost limit exceeded' },
    });
  });
});
