import { err, ok, type Result } from '../base/result.ts';

/** Whether labels (or annotations) fulfil a selector. */
export type Selector = (labels: Readonly<Record<string, string>>) => boolean;

const SET = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/;
const EQUALITY = /^([^\s!=]+)\s*(==|=|!=)\s*(\S*)$/;
const EXISTS = /^(!?)\s*([^\s!=(),]+)$/;

/** Parses Kubernetes' selector syntax: `a=b,c!=d,e in (f,g),h,!i`. */
export function parseSelector(text: string): Result<Selector, string> {
  const tests: Selector[] = [];
  for (const part of text.split(/,(?![^(]*\))/)) {
    const requirement = part.trim();
    const set = SET.exec(requirement);
    const equality = EQUALITY.exec(requirement);
    const exists = EXISTS.exec(requirement);
    if (set !== null) {
      const [, key = '', operator, list = ''] = set;
      const values = new Set(list.split(',').map((value) => value.trim()));
      tests.push((labels) => (operator === 'in') === (Object.hasOwn(labels, key) && values.has(labels[key] ?? '')));
    } else if (equality !== null) {
      const [, key = '', operator, value = ''] = equality;
      tests.push((labels) => (operator !== '!=') === (Object.hasOwn(labels, key) && labels[key] === value));
    } else if (exists !== null) {
      const [, not, key = ''] = exists;
      tests.push((labels) => Object.hasOwn(labels, key) === (not === ''));
    } else if (requirement !== '' || text.trim() !== '') return err(`unable to parse selector '${text}'`);
  }
  return ok((labels) => tests.every((test) => test(labels)));
}
