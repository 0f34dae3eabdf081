import type { KubeObject, ObjectRef } from '../../src/api/object.ts';
import type { HttpRequest, HttpResponse } from '../../src/base/http.ts';
import { at, isArray, type JsonObject, stringAt } from '../../src/base/json.ts';
import type { TestEngine } from './kustomization-engine.ts';

// Words for tests of Kustomizations: what they name, make and look at.

export const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
/** A kind without a status subresource, whose objects may hold anything. */
export const TOYS = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys.example.com}
spec:
  group: example.com
  names: {kind: Toy, plural: toys}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;

export function ks(name: string, namespace = 'default'): ObjectRef {
  return { apiVersion: KUSTOMIZE, kind: 'Kustomization', namespace, name };
}

export function cm(name: string, namespace = 'default'): ObjectRef {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };
}

/** A ConfigMap's file. `more` is more of its metadata. */
export function manifest(name: string, value = 'one', more = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}data:\n  key: "${value}"\n`;
}

export function conditionOf(found: KubeObject | undefined, type: string): JsonObject | undefined {
  const list = at(found?.status, 'conditions');
  return isArray(list) ? (list.find((item) => stringAt(item, 'type') === type) as JsonObject | undefined) : undefined;
}

export function messageOf(found: KubeObject | undefined): string {
  return stringAt(conditionOf(found, 'Ready'), 'message') ?? '';
}

export const isReady = (revision: string) => (found: KubeObject | undefined) =>
  messageOf(found) === `Applied revision: ${revision}`;
export const hasFailed = (found: KubeObject | undefined): boolean =>
  stringAt(conditionOf(found, 'Ready'), 'status') === 'False';
export const exists = (found: KubeObject | undefined): boolean => found !== undefined;
export const isGone = (found: KubeObject | undefined): boolean => found === undefined;
export const keyOf = (found: KubeObject | undefined): string | undefined =>
  stringAt(found as unknown as JsonObject, 'data', 'key');
export const holds = (value: string) => (found: KubeObject | undefined) => keyOf(found) === value;

/** Ids of the inventory. */
export function entries(found: KubeObject | undefined): readonly string[] {
  const list = at(found?.status, 'inventory', 'entries');
  return isArray(list) ? list.map((entry) => stringAt(entry, 'id') ?? '').sort() : [];
}

/** Makes or changes a Kustomization of the folder `x` of GitRepository `repo`. */
export async function kustomize(
  engine: TestEngine,
  name: string,
  spec: JsonObject = {},
  annotations: Readonly<Record<string, string>> = {},
): Promise<void> {
  await engine.apply({
    apiVersion: KUSTOMIZE,
    kind: 'Kustomization',
    metadata: { name, annotations } as never,
    spec: {
      interval: '1h',
      retryInterval: '1h',
      path: './x',
      prune: true,
      targetNamespace: 'default',
      sourceRef: { kind: 'GitRepository', name: 'repo' },
      ...spec,
    },
  });
}

/** Holds requests of the engine back that `matches`, from now on until they are let go. */
export function holdBack(
  engine: TestEngine,
  matches: (request: HttpRequest) => boolean,
): { readonly reached: Promise<void>; readonly release: () => void } {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    engine.intercept(async (request, pass) => {
      if (matches(request)) {
        resolve();
        await held;
      }
      return pass(request);
    });
  });
  return { reached, release };
}

/** Lets the engine see nothing more of what watches of `plural` tell, until they are let go. The engine begins anew. */
export async function holdWatches(
  engine: TestEngine,
  plural: string,
): Promise<{ readonly hold: () => void; readonly release: () => void }> {
  let release: () => void = () => undefined;
  let gate = Promise.resolve();
  async function* gated(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      await gate;
      yield chunk;
    }
  }
  engine.intercept(async (request, pass) => {
    const answer = await pass(request);
    const { pathname, searchParams } = new URL(request.path, 'http://localhost');
    const isWatch = pathname.endsWith(`/${plural}`) && searchParams.has('watch');
    return isWatch ? { ...answer, body: gated(answer.body) } : answer;
  });
  await engine.restart({ keepIntercept: true });
  return {
    hold: () => {
      gate = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => release(),
  };
}

/** A request that applies ConfigMap `name`, or rehearses it. */
export function applies(name: string, { method, path }: HttpRequest): boolean {
  return method === 'PATCH' && new RegExp(`/configmaps/${name}\\?`).test(path);
}

/** What an API server answers that does not do what it is asked for. */
export function refusal(code: number, reason: string, message: string): HttpResponse {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(JSON.stringify(status));
  }
  return { status: code, headers: { 'content-type': 'application/json' }, body: body() };
}
