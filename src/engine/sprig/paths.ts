import { type FuncMap, func } from '../gotemplate/func.ts';
import { STRING } from '../gotemplate/go-type.ts';

/** Paths; those of the operating system are the same, as Helm runs on Linux. Source: go@1.26 path/path.go. */
export function pathFunctions(): FuncMap {
  const base = func([STRING], baseOf);
  const clean = func([STRING], cleaned);
  const dir = func([STRING], (path) => cleaned(path.slice(0, path.lastIndexOf('/') + 1)));
  const ext = func([STRING], (path) => /\.[^./]*$/.exec(path)?.[0] ?? '');
  const isAbs = func([STRING], (path) => path.startsWith('/'));
  return new Map([
    ['base', base],
    ['osBase', base],
    ['clean', clean],
    ['osClean', clean],
    ['dir', dir],
    ['osDir', dir],
    ['ext', ext],
    ['osExt', ext],
    ['isAbs', isAbs],
    ['osIsAbs', isAbs],
  ]);
}

function baseOf(path: string): string {
  if (path === '') return '.';
  let end = path.length;
  while (end > 0 && path.charAt(end - 1) === '/') end--;
  return end === 0 ? '/' : path.slice(path.lastIndexOf('/', end - 1) + 1, end);
}

function cleaned(path: string): string {
  const isRooted = path.startsWith('/');
  const steps: string[] = [];
  for (const step of path.split('/')) {
    if (step === '' || step === '.') continue;
    if (step !== '..') steps.push(step);
    else if (steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else if (!isRooted) steps.push(step);
  }
  const joined = steps.join('/');
  if (isRooted) return `/${joined}`;
  return joined === '' ? '.' : joined;
}
