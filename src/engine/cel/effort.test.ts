import { describe, expect, it } from 'vitest';
import { compileCel, evaluate, toCel, untypedEnvironment } from './cel.ts';

const SELF = {
  list: Array.from({ length: 10_000 }, (_, index) => `item-${index}`),
  text: 'a'.repeat(500_000),
  digits: '9'.repeat(500_000),
};

function run(text: string): unknown {
  const program = compileCel(text, untypedEnvironment('self'));
  if (!program.ok) return program.error.code;
  const result = evaluate(program.value, { self: toCel(SELF) });
  return result.ok ? result.value.value : result.error.code;
}

// Each took minutes, or all memory, when only Kubernetes' cost was counted.
describe('B10: an evaluation stops', () => {
  const twice = '.map(x, [x, x])'.repeat(40);

  it.each([
    ['that compares what shares its parts', `[1]${twice} == [1]${twice}`],
    ['that flattens what shares its parts', `[1]${twice}.flatten(100).size() > 0`],
    ['that prints what shares its parts', `'%s'.format([[1]${twice}]) == ''`],
    ['that flattens again and again', 'self.list.map(a, [self.list, [self.list]]).flatten().size() > 0'],
    ['that prints again and again', "self.list.map(a, '%s%s'.format([self.list, self.text])).size() > 0"],
    ['that makes a text longer', "self.text.replace('a', 'bbbbbbbbbbbbbbbbbbbb').size() > 0"],
    ['that joins by a long text', 'self.list.join(self.text).size() > 0'],
    ['that measures a long text for each item', 'self.list.all(a, self.text.size() > 0)'],
    ['that looks through a long text for each item', "self.list.all(a, self.text.indexOf('b') < 0)"],
    ['that tries a pattern on a long text for each item', "self.list.all(a, self.text.find('^(a+)+b$') == '')"],
    ['that begins a long loop for each item', 'self.list.all(a, self.list.exists(b, true))'],
    ['that reads a long list for each item', "self.list.all(a, self.list[0] != '')"],
    ['that keeps no item twice, of many', 'self.list.distinct().size() > 0'],
    ['that reads a long number for each item', 'self.list.all(a, !isQuantity(self.digits))'],
  ])('%s', (_, text) => {
    expect(run(text)).toBe('cost');
  });

  it.each([
    ['a number of too many digits', 'int(self.digits) > 0', 'evaluation'],
    ['a duration of too many digits', "duration(self.digits) == duration('1s')", 'evaluation'],
    ['a chain of too many operators', Array.from({ length: 16_000 }, () => 'true').join('&&'), 'syntax'],
    ['zeros before a number, which do not count', "int('0000000000000000000000000000001') == 1", true],
    ['what many objects need', 'self.list.map(a, a.size()).sum() > 0 && self.list.exists(a, a == "item-9999")', true],
  ])('%s is told', (_, text, wanted) => {
    expect(run(text)).toBe(wanted);
  });
});
