import { expect, it } from 'vitest';
import { substitute } from './evaluate.ts';

const variables = new Map([
  ['name', 'web'],
  ['path', '/usr/local/lib/file.tar.gz'],
  ['uni', 'héllo'],
  ['empty', ''],
]);

const outputs: readonly (readonly [input: string, want: string])[] = [
  ['$name stays', '$name stays'],
  ['${name}-${nope}', 'web-'],
  ['$${name} $$$${name}', '${name} $${name}'],
  ['${nope:=pre-${name}-post}', 'pre-web-post'],
  ['${nope:=${other:-deep}}', 'deep'],
  ['${empty:-def}', 'def'],
  ['${#uni}', '6'],
  ['${uni^} ${uni^^}', 'Héllo HÉLLO'],
  ['${uni:0:2}', 'h\ufffd'],
  ['${name:1}', 'eb'],
  ['${name: -2}', 'web'],
  ['${path##*/}', 'file.tar.gz'],
  ['${path#*/}', 'usr/local/lib/file.tar.gz'],
  ['${path%.*}', '/usr/local/lib/file.tar'],
  ['${path%%.*}', '/usr/local/lib/file'],
  ['${path%[a-z]}', '/usr/local/lib/file.tar.gz'],
  ['${path//\\//-}', '-usr-local-lib-file.tar.gz'],
  ['${name/#we/wo}', 'wob'],
  ['${name/%b/$&}', 'we$&'],
];
it.each(outputs)('substitutes %s', (input, want) => {
  expect(substitute(input, variables)).toEqual({ ok: true, value: want });
});

const errors: readonly (readonly [input: string, want: string])[] = [
  ['${name', 'missing closing brace'],
  ['${', 'unable to parse variable name'],
  ['${a-b}', 'missing closing brace'],
  ['${name/}', 'bad substitution'],
  ['${name%}', 'unable to parse substitution within function'],
  ['${name:0:-1}', 'negative substring length'],
];
it.each(errors)('refuses %s', (input, message) => {
  expect(substitute(input, variables)).toMatchObject({ ok: false, error: { code: 'Invalid', message } });
});

it('refuses a variable without value in strict mode, and takes a default for one', () => {
  const strict = { strict: true };
  expect(substitute('${name} ${nope^^}', variables, strict)).toMatchObject({ error: { code: 'NotSet', name: 'nope' } });
  expect(substitute('${empty} ${nope:=x}', variables, strict)).toEqual({ ok: true, value: ' x' });
});

it('does not overflow the stack on expressions nested a hundred thousand deep', () => {
  expect(substitute('${a:='.repeat(100_000), variables)).toMatchObject({ ok: false });
});

it('matches a pattern of many stars in time proportional to its length', () => {
  const text = 'a'.repeat(20_000);
  expect(substitute(`\${v##${'*a'.repeat(50)}b}`, new Map([['v', text]]))).toEqual({ ok: true, value: text });
});
