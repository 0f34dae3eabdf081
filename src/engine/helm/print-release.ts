import { matchPath } from '../../base/path-match.ts';
import type { Result } from '../../base/result.ts';
import { fromBytes } from '../gotemplate/go-string.ts';
import { attempt, fail, type HelmError } from './failure.ts';
import { splitManifests } from './manifests.ts';
import type { RenderedChart } from './render-chart.ts';

/** What of a rendered chart is printed. */
export interface PrintChoice {
  readonly includeCrds?: boolean;
  readonly withoutHooks?: boolean;
  readonly skipTests?: boolean;
  /** Only documents of these templates (`templates/service.yaml`, Go's path patterns). */
  readonly showOnly?: readonly string[];
}

/** The stream that `helm template` prints. Source: helm@4.1.4 pkg/cmd/template.go. */
export function printRelease(rendered: RenderedChart, choice: PrintChoice): Result<string, HelmError> {
  const document = (source: string, text: string): string => `---\n# Source: ${source}\n${text}\n`;
  const crds = choice.includeCrds === true ? rendered.crds : [];
  const body = [
    ...crds.map(({ name, data }) => document(name, fromBytes(data))),
    ...rendered.manifests.map(({ source, text }) => document(source, text)),
  ];
  const hooks = rendered.hooks.filter(({ events }) => !(choice.skipTests === true && events.includes('test')));
  const shownHooks = choice.withoutHooks === true ? [] : hooks;
  const all = `${body.join('').trim()}\n${shownHooks.map(({ source, text }) => document(source, text)).join('')}`;
  const only = choice.showOnly ?? [];
  return attempt(() => (only.length === 0 ? all : only.map((pattern) => select(all, pattern)).join('')));
}

function select(all: string, pattern: string): string {
  const found = splitManifests(all).filter((text) => {
    const [, source] = /# Source: [^/]+\/(.+)/.exec(text) ?? [];
    return source !== undefined && matchPath(pattern, source) === true;
  });
  if (found.length === 0) fail('manifest', `could not find template ${pattern} in chart`);
  return found.map((text) => `---\n${text}\n`).join('');
}
