import { describe, expect, it } from 'vitest';
import { parseYaml, parseYamlDocuments } from './parse.ts';
import { printYaml } from './print.ts';

function read(text: string, strict = false): unknown {
  const result = parseYaml(text, { strict });
  if (!result.ok) throw new Error(`line ${result.error.line}: ${result.error.message}`);
  return result.value;
}

describe('parseYaml', () => {
  it.each([
    ['yes', true],
    ['off', false],
    ['~', null],
    ['on', true],
    ['y', true],
    ['017', 15],
    ['0o17', 15],
    ['0b11', 3],
    ['1:30', '1:30'],
    ['0x1F', 31],
    ['010', 8],
    ['1_000', 1000],
    ['1e3', 1000],
    ['"1e3"', '1e3'],
    ['9007199254740993', 9007199254740993n],
    ['-18446744073709551615', -18446744073709552000],
    ['12:30', '12:30'],
    ['2024-01-01', '2024-01-01'],
  ])('reads %s as YAML 1.1 does (B05)', (text, value) => {
    expect(read(`v: ${text}`)).toEqual({ v: value });
  });

  it('reads `1e400` as kubectl does, and 1.0 and 1e3 as the numbers that they are (B04)', () => {
    expect(read('a: 1.0\nb: 1e3\nc: 1e400\n')).toEqual({ a: 1, b: 1000, c: '1e400' });
  });

  it('puts keys like integers where their text sorts them, whatever order an object has (B06)', () => {
    expect(printYaml({ '10': 1, '2': 2, b: 3, a: 4 })).toBe(printYaml(read('b: 3\n"2": 2\na: 4\n"10": 1\n') as never));
  });

  it('keeps every digit of a large integer through a round trip (B03)', () => {
    const text = 'v: 9223372036854775807\n';
    expect(printYaml(read(text) as never)).toBe(text);
  });

  it('reads `__proto__` and `constructor` as data (B02)', () => {
    const value = read('__proto__: {polluted: yes}\nconstructor: {prototype: {polluted: yes}}\n') as object;
    expect(Object.keys(value).sort()).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(value)).not.toHaveProperty('polluted');
    expect(printYaml(value as never)).toContain('__proto__:\n  polluted: true\n');
  });

  it('names the line of a duplicate key when it is strict; else the last one wins', () => {
    const text = 'a: 1\nb: 2\na: 3\n';
    expect(read(text)).toEqual({ a: 3, b: 2 });
    expect(() => read(text, true)).toThrow(/line 3.*already/);
  });

  it.each([
    ['an alias bomb (B01)', bomb(), /excessive aliasing/],
    ['a node that holds itself (B08)', 'a: &x\n  b: *x\n', /contains itself/],
    ['20,000 lists in one another (B07)', '['.repeat(20_000), /max depth/],
    ['20,000 blocks in one another (B07)', blocks(20_000), /max depth/],
  ])('refuses %s at once', (_name, text, problem) => {
    const start = performance.now();
    expect(() => read(text)).toThrow(problem);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('reads every document of a stream', () => {
    const result = parseYamlDocuments('---\na: 1\n---\n# nothing\n---\n- b\n...\n');
    expect(result).toEqual({ ok: true, value: [{ a: 1 }, ['b']] });
  });

  it.each([['a: b: c'], ['"open'], ['a: *none'], ['{a: 1']])('says where %j is wrong', (text) => {
    const result = parseYaml(text);
    expect(result).toMatchObject({ ok: false, error: { line: 1 } });
  });
});

describe('printYaml', () => {
  it.each([
    [{ b: 1, a: [{ c: 'yes' }, []] }, 'a:\n- c: "yes"\n- []\nb: 1\n'],
    [{ v2: 1, v10: 2, v1: 3 }, 'v1: 3\nv2: 1\nv10: 2\n'],
    [{ a: 'l1\nl2\n' }, 'a: |\n  l1\n  l2\n'],
    [{ a: '0x1F', b: '1e3', c: 'null', d: '' }, 'a: "0x1F"\nb: "1e3"\nc: "null"\nd: ""\n'],
  ])('prints %j with sorted keys', (value, text) => {
    expect(printYaml(value)).toBe(text);
  });

  it('reads back what it prints', () => {
    for (const value of ['a: b', '- x', '#', "it's", ' lead', 'trail ', '\u0000', 'é\u2028', '1_0', '=', '<<', '0o7']) {
      expect(read(printYaml({ value }))).toEqual({ value });
    }
  });
});

function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 12; level++)
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  return `${lines.join('\n')}\n`;
}

function blocks(depth: number): string {
  return Array.from({ length: depth }, (_, level) => `${' '.repeat(level)}a:`).join('\n');
}
