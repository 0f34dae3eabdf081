import { describe, expect, test } from 'vitest';
import type { FlagDefinition } from './command.ts';
import { FlagValues, flagUsages, parseArguments } from './flags.ts';

const FLAGS: readonly FlagDefinition[] = [
  { name: 'all', short: 'A', type: 'bool', usage: 'everything' },
  { name: 'watch', short: 'w', type: 'bool', usage: 'stay' },
  { name: 'on', type: 'bool', default: 'true', usage: 'switched on' },
  { name: 'namespace', short: 'n', type: 'string', default: 'flux-system', usage: 'where' },
  { name: 'label', short: 'l', type: 'strings', usage: 'labels' },
  { name: 'tail', type: 'int', default: '-1', usage: 'lines' },
  { name: 'timeout', type: 'duration', default: '5m', usage: 'how long' },
  { name: 'mode', type: 'string', values: ['a', 'b'], usage: 'how' },
  { name: 'old', type: 'string', deprecated: 'use another', usage: 'gone' },
  { name: 'secret', type: 'string', hidden: true, usage: 'not told' },
];

function parse(...args: string[]): { readonly flags: FlagValues; readonly positional: readonly string[] } {
  const parsed = parseArguments(args, FLAGS);
  if (!parsed.ok) throw new Error(parsed.error);
  return { flags: new FlagValues(FLAGS, parsed.value.given), positional: parsed.value.positional };
}

describe('flags', () => {
  test.each([
    [['-n', 'apps'], 'apps'],
    [['-napps'], 'apps'],
    [['-n=apps'], 'apps'],
    [['--namespace', 'apps'], 'apps'],
    [['--namespace=apps'], 'apps'],
    [['--namespace='], ''],
    [['--namespace=a=b'], 'a=b'],
    [['-n', 'a', '-n', 'b'], 'b'],
    [['-Awn', 'apps'], 'apps'],
    [[], 'flux-system'],
  ])('%j set the namespace to %j', (args, namespace) => {
    expect(parse(...args).flags.string('namespace')).toBe(namespace);
  });

  test.each([
    [['-A'], true],
    [['--all'], true],
    [['--all=false'], false],
    [['--all=T'], true],
    [['-A=false'], false],
    [[], false],
  ])('%j switch to %j', (args, on) => {
    expect(parse(...args).flags.bool('all')).toBe(on);
  });

  test('that are on by default can be switched off', () => {
    expect(parse().flags.bool('on')).toBe(true);
    expect(parse('--on=false').flags.bool('on')).toBe(false);
  });

  test.each([
    [
      ['-l', 'a=1,b=2', '--label=c=3'],
      ['a=1', 'b=2', 'c=3'],
    ],
    [['--label="x,y",z'], ['x,y', 'z']],
    [['--label='], []],
    [[], []],
  ])('%j list %j', (args, values) => {
    expect(parse(...args).flags.list('label')).toEqual(values);
  });

  test('stand anywhere among arguments, and end at --', () => {
    const { flags, positional } = parse('one', '-A', 'two', '-n', 'apps', '-', '--', '-w', '--nope');
    expect(positional).toEqual(['one', 'two', '-', '-w', '--nope']);
    expect(flags.bool('watch')).toBe(false);
  });

  test('keep numbers, durations and whether they were given', () => {
    const { flags } = parse('--tail=20', '--timeout=1h30m');
    expect(flags.int('tail')).toBe(20);
    expect(flags.durationMs('timeout')).toBe(5_400_000);
    expect([flags.changed('tail'), flags.changed('namespace')]).toEqual([true, false]);
  });

  test('warn when they are deprecated', () => {
    const parsed = parseArguments(['--old=x'], FLAGS);
    expect(parsed.ok && parsed.value.deprecations).toEqual(['Flag --old has been deprecated, use another']);
  });

  test.each([
    [['--nope'], 'unknown flag: --nope'],
    [['--nope=1'], 'unknown flag: --nope'],
    [['-q'], "unknown shorthand flag: 'q' in -q"],
    [['-Aq'], "unknown shorthand flag: 'q' in -Aq"],
    [['--namespace'], 'flag needs an argument: --namespace'],
    [['-n'], "flag needs an argument: 'n' in -n"],
    [['--all=x'], 'invalid argument "x" for "-A, --all" flag: strconv.ParseBool: parsing "x": invalid syntax'],
    [['--tail=x'], 'invalid argument "x" for "--tail" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    [['--timeout=5'], 'invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"'],
    [['--mode=c'], 'invalid argument "c" for "--mode" flag: must be one of: a, b'],
  ])('%j are refused: %s', (args, message) => {
    expect(parseArguments(args, FLAGS)).toEqual({ ok: false, error: message });
  });

  test('that nobody defined are a bug to ask for', () => {
    expect(() => parse().flags.string('nope')).toThrow('the command has no flag --nope');
  });

  test('are told sorted, aligned and with their defaults', () => {
    expect(flagUsages(FLAGS)).toBe(
      [
        '  -A, --all                everything',
        '  -l, --label strings      labels',
        '      --mode string        how',
        '  -n, --namespace string   where (default "flux-system")',
        '      --on                 switched on (default true)',
        '      --tail int           lines (default -1)',
        '      --timeout duration   how long (default 5m0s)',
        '  -w, --watch              stay',
      ].join('\n'),
    );
  });
});
