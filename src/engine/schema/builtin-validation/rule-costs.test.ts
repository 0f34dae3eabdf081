import { describe, expect, it } from 'vitest';
import { compileCel } from '../../cel/cel.ts';
import { typeOfSchema } from '../../cel/types.ts';
import type { Schema } from '../schema.ts';
import { CostEstimates } from './rule-costs.ts';

const ITEMS = 2_000_000;
const SCHEMA: Schema = {
  type: 'object',
  properties: {
    l: { type: 'array', maxItems: ITEMS, items: { type: 'string', maxLength: 20 } },
    o: { type: 'array', maxItems: ITEMS, items: { type: 'object', properties: { a: { type: 'integer' } } } },
    m: { type: 'object', maxProperties: ITEMS, additionalProperties: { type: 'string', maxLength: 20 } },
  },
};

/** By how much kube-apiserver 1.34.1 found a rule of a CRD too dear; `>` is "more than 100x". */
describe('estimated costs of rules', () => {
  it.each([
    ["self.l.all(x, x == 'a')", '1.000000x'],
    ['self.l.all(x, x.size() > 0)', '1.200000x'],
    ["self.l.all(x, x.contains('a'))", '2.4x'],
    ["self.l.all(x, x.matches('a*b*c*d*e*'))", '6.2x'],
    ["self.l.all(x, x + 'a' == 'b')", '2.8x'],
    ['self.o.all(x, has(x.a) && x.a == 1)', '1.200000x'],
    ["self.l.all(x, x.split(',').size() > 1)", '4.4x'],
    ["self.l.all(x, [x].join(',') == 'a')", 'more than 100x'],
    ["self.l.all(x, ['a','b'].indexOf(x) == 1)", 'more than 100x'],
    ['self.l.all(x, [1,2].sum() == 1)', '3.2x'],
    ['self.l.all(x, quantity(x).isInteger())', '2.6x'],
    ["self.l.all(x, cidr(x).containsIP('1.1.1.1'))", '3.4x'],
    ["self.l.all(x, sets.contains(['a'], [x]))", '5.2x'],
    ['self.l.all(x, format.dns1123Label().validate(x).hasValue())', '52.4x'],
    ['self.l.all(x, x in self.m)', '1.400000x'],
    ['self.l.filter(x, true).size() == 1', '2.6x'],
    ['self.l.map(x, x).size() == 1', '2.6x'],
    ['self.l.transformList(i, x, x).size() == 1', '2.6x'],
  ])('%s', (text, factor) => {
    const compiled = compileCel(text, { variables: { self: typeOfSchema(SCHEMA, () => undefined) } });
    if (!compiled.ok) throw new Error(compiled.error.message);
    const errors: { message: string }[] = [];
    new CostEstimates().rule(errors as never, compiled.value.expr, SCHEMA, 1, 'rule', 'rule');
    expect(/factor of (.*?) \(/.exec(errors[0]?.message ?? '')?.[1]).toBe(factor);
  });
});
