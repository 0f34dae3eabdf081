import { expect, test } from 'vitest';
import { humanDuration } from './age.ts';
import { shortRevisions } from './get.ts';
import { formatSize } from './stats.ts';
import { printTable } from './table.ts';

test('a table pads cells, ends rows with a tab and the heading without', () => {
  expect(
    printTable(
      ['Name', 'Ready'],
      [
        ['a', 'True'],
        ['longer', ''],
      ],
    ),
  ).toBe('NAME  \tREADY \na     \tTrue \t\nlonger\t     \t\n');
});

test('a table without a heading has rows only', () => {
  expect(printTable([], [['a', 'b']])).toBe('a\tb\t\n');
});

test('a cell with line breaks stays one row', () => {
  expect(printTable(['Message'], [['one\n  two']])).toBe('MESSAGE \none two\t\n');
});

test('wide characters take two columns', () => {
  expect(
    printTable(
      [],
      [
        ['漢', 'x'],
        ['abc', 'x'],
      ],
    ),
  ).toBe('漢 \tx\t\nabc\tx\t\n');
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [-5000, '<invalid>'],
  [-500, '0s'],
  [0, '0s'],
  [119_999, '119s'],
  [120_000, '2m'],
  [125_000, '2m5s'],
  [10 * MINUTE, '10m'],
  [179 * MINUTE, '179m'],
  [3 * HOUR, '3h'],
  [3 * HOUR + 5 * MINUTE, '3h5m'],
  [47 * HOUR, '47h'],
  [2 * DAY + HOUR, '2d1h'],
  [8 * DAY, '8d'],
  [729 * DAY, '729d'],
  [731 * DAY, '2y1d'],
  [9 * 365 * DAY, '9y'],
])('an age of %i ms is %s', (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

test.each([
  [0, '-'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [5 * 1024 * 1024, '5.0 MiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});

test.each([
  ['main@sha1:0123456789abcdef0123456789abcdef01234567', 'main@sha1:01234567'],
  [`latest@sha256:${'ab'.repeat(32)}`, 'latest@sha256:abababab'],
  ['v1.2.3', 'v1.2.3'],
  ['stored artifact for revision deadbeef', 'stored artifact for revision deadbeef'],
])('the revision %s is told as %s', (text, short) => {
  expect(shortRevisions(text)).toBe(short);
});
