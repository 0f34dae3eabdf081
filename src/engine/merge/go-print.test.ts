import { expect, it } from 'vitest';
import { parseJson } from '../../base/json.ts';
import { goValue } from './go-print.ts';

it.each([
  ['1000', '1000'],
  ['9223372036854775807', '9223372036854775807'],
  ['12345678901234567890', '1.2345678901234567e+19'],
  ['0.00001', '1e-05'],
  ['{"b":[1,true,null],"a":"x"}', 'map[a:x b:[1 true <nil>]]'],
])('%s is printed as %s', (json, printed) => {
  expect(goValue(parseJson(json))).toBe(printed);
});
