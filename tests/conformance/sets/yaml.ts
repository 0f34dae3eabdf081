import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JsonObject, parseJson, stringifyJson } from '../../../src/base/json.ts';
import { printYamlError } from '../../../src/engine/yaml/error.ts';
import { parseYaml } from '../../../src/engine/yaml/parse.ts';
import { printYaml } from '../../../src/engine/yaml/print.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';

/** How Go reads values (vals.*) and writes an object (emit.*): by sigs.k8s.io/yaml and by kustomize. */
export const set: ConformanceSet = {
  name: 'yaml',
  async run(directory) {
    const read = (file: string): string => readFileSync(join(directory, file), 'utf8');
    const object = parseJson(read('emit.json')) as JsonObject;
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: object };
    return [
      ...reading(
        JSON.parse(read('vals.json')) as readonly string[],
        read('vals.sigs-yaml-1.6.0.txt').trim().split('\n'),
      ),
      ...writing('sigs', read('emit.sigs-yaml-1.6.0.yaml'), printYaml(object), ''),
      ...writing('kustomize', read('emit.kustomize.yaml'), printYaml(configMap), '  '),
    ];
  },
};

function reading(texts: readonly string[], answers: readonly string[]): readonly CaseResult[] {
  return texts.map((text, index) => {
    const answer = (answers[index] ?? '').slice(JSON.stringify(text).length + ' => '.length);
    const result = parseYaml(text);
    const got = result.ok ? stringifyJson(result.value) : `ERR ${printYamlError(result.error)}`;
    // The answers are Go's JSON, which escapes angle brackets.
    const passed = got === answer.replaceAll('\\u003c', '<');
    return { id: `read ${JSON.stringify(text)}`, passed, ...(!passed && { detail: `want ${answer}\ngot  ${got}` }) };
  });
}

/** One case for each key of the object at the margin. */
function writing(tool: string, want: string, got: string, margin: string): readonly CaseResult[] {
  const wanted = blocks(want, margin);
  const written = blocks(got, margin);
  return [...wanted].map(([key, text]) => {
    const passed = written.get(key) === text;
    return {
      id: `write ${tool} ${key}`,
      passed,
      ...(!passed && { detail: `want\n${text}\ngot\n${written.get(key)}` }),
    };
  });
}

function blocks(text: string, margin: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let key = '';
  for (const line of text.split('\n')) {
    if (line.startsWith(margin) && /^[^ \-:]/.test(line.slice(margin.length)))
      key = line.slice(margin.length).split(':')[0] as string;
    found.set(key, `${found.get(key) ?? ''}${line}\n`);
  }
  return found;
}
