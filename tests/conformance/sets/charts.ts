import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { helmTemplate } from '../../support/helm-template.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';
import { firstDifference } from './kustomize.ts';

interface Case {
  readonly name: string;
  readonly chart: string;
  readonly release: string;
  readonly args: readonly string[];
  readonly exit: number;
  readonly expected?: string;
  readonly error?: string;
  readonly warnings?: string;
}

/** Charts that `helm template` rendered: the same bytes, the same error and the same warnings. */
export const set: ConformanceSet = {
  name: 'charts',
  async run(directory) {
    const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as { cases: readonly Case[] };
    return index.cases.map((one) => play(directory, one));
  },
};

function play(directory: string, { name, chart, release, args, expected, error, warnings }: Case): CaseResult {
  const heard: string[] = [];
  const got = helmTemplate(release, chart, args, { cwd: directory, warn: (text) => heard.push(text) });
  const missing = (warnings ?? '').split('\n').flatMap((line) => {
    const [, quoted, plain] = /msg="(?:warning: )?([^"]*)"(.*)/.exec(line) ?? [];
    const text = `${quoted ?? ''}${plain ?? ''}`;
    return line === '' || heard.some((one) => one.replace(/^warning: /, '') === text) ? [] : [text];
  });
  const want = expected === undefined ? (error ?? '') : readFileSync(join(directory, expected), 'utf8');
  if (inOrder(got) === inOrder(want) && missing.length === 0) return { id: name, passed: true };
  const unheard = missing.map((text) => `no warning: ${text} (but ${heard.join('; ')})\n`).join('');
  return { id: name, passed: false, detail: firstDifference(want, got) + unheard };
}

/** Lines of a schema's objections have no fixed order. */
function inOrder(text: string): string {
  if (!text.startsWith("Error: values don't meet")) return text;
  return text.trimEnd().split('\n').sort().join('\n');
}
