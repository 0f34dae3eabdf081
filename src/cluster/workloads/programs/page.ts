import { stringifyJson } from '../../../base/json.ts';
import type { Pod } from '../shapes.ts';

/** What a simulated pod answers to a request. */
export interface Page {
  readonly contentType: string;
  readonly body: string;
}

/** What the page tells; its JSON form as it is. */
type Facts = {
  readonly simulated: true;
  readonly notice: string;
  readonly pod: string;
  readonly namespace: string;
  readonly node: string;
  readonly podIP: string;
  readonly container: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly request: string;
};

export const NOTICE = 'This pod is simulated by Weir: no container runs here.';

/** The answer of a simulated container: HTML for browsers, JSON for who asks for it, plain text for curl and alike. */
export function pageOf(
  pod: Pod,
  container: string,
  request: { readonly method: string; readonly path: string; readonly accept: string; readonly userAgent: string },
): Page {
  const facts = factsOf(pod, container, request);
  if (request.accept.includes('application/json')) {
    return { contentType: 'application/json', body: `${stringifyJson(facts, 2)}\n` };
  }
  if (!request.accept.includes('text/html')) return { contentType: 'text/plain; charset=utf-8', body: textOf(facts) };
  return { contentType: 'text/html; charset=utf-8', body: htmlOf(facts) };
}

function factsOf(pod: Pod, container: string, request: { readonly method: string; readonly path: string }): Facts {
  const image = pod.spec.containers.find(({ name }) => name === container)?.image ?? '';
  return {
    simulated: true,
    notice: NOTICE,
    pod: pod.metadata.name,
    namespace: pod.metadata.namespace ?? '',
    node: pod.spec.nodeName ?? '',
    podIP: pod.status?.podIP ?? '',
    container,
    image,
    labels: { ...pod.metadata.labels },
    request: `${request.method} ${request.path}`,
  };
}

function rowsOf(facts: Facts): readonly (readonly [string, string])[] {
  const labels = Object.entries(facts.labels).map(([key, value]) => `${key}=${value}`);
  const names = ['image', 'pod', 'namespace', 'node', 'podIP', 'container', 'request'] as const;
  return [...names.map((name) => [name, facts[name]] as const), ['labels', labels.join('\n')]];
}

function textOf(facts: Facts): string {
  const lines = rowsOf(facts).map(([name, value]) => `${`${name}:`.padEnd(11)}${value.replaceAll('\n', ' ')}`);
  return `${NOTICE}\n\n${lines.join('\n')}\n`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #14202b; --soft: #5b6b7a; --paper: #f4f7f9; --card: #fff; --line: #dbe3ea; --mark: #0a7ea4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eef3; --soft: #9db0bf; --paper: #0f171e; --card: #17222c; --line: #2a3945; --mark: #4cc3ea; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 2rem 1rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { width: min(40rem, 100%); background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
header { padding: 1.5rem 1.75rem 1.25rem; border-bottom: 1px solid var(--line); }
.notice { display: inline-block; margin: 0 0 .75rem; padding: .15rem .6rem; border: 1px solid var(--mark); border-radius: 99px; color: var(--mark); font-size: .8rem; }
h1 { margin: 0; font-size: 1.5rem; overflow-wrap: anywhere; }
header p { margin: .25rem 0 0; color: var(--soft); overflow-wrap: anywhere; }
dl { margin: 0; padding: .75rem 1.75rem 1.5rem; display: grid; grid-template-columns: 7rem 1fr; }
dt, dd { margin: 0; padding: .5rem 0; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); } dd { overflow-wrap: anywhere; white-space: pre-line; font-family: ui-monospace, monospace; font-size: .9rem; }
dt:last-of-type, dd:last-of-type { border-bottom: 0; }`;

function htmlOf(facts: Facts): string {
  const image = escapeHtml(facts.image);
  const rows = rowsOf(facts)
    .slice(1)
    .map(([name, value]) => `      <dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join('\n');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${image} (simulated)</title>
    <style>${STYLE}
    </style>
  </head>
  <body>
    <main>
      <header>
        <p class="notice">Simulated pod</p>
        <h1>${image}</h1>
        <p>${escapeHtml(NOTICE)}</p>
      </header>
      <dl>
${rows}
      </dl>
    </main>
  </body>
</html>
`;
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (mark) => entities[mark] ?? mark);
}
