import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { at, field, isArray, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { json } from './draft.ts';
import type { ResourceType } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';

export interface FieldTerm {
  readonly path: string;
  readonly negated: boolean;
  readonly value: string;
}

const META = ['metadata.name', 'metadata.namespace'];

/** Source: the GetAttrs and AddFieldLabelConversion functions of kubernetes@1.34 pkg/apis and pkg/registry. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  '/pods': [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  '/nodes': ['spec.unschedulable'],
  '/namespaces': ['status.phase'],
  '/secrets': ['type'],
  '/services': ['spec.clusterIP', 'spec.type'],
  '/replicationcontrollers': ['status.replicas'],
  '/events': [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  'batch/jobs': ['status.successful'],
  'certificates.k8s.io/certificatesigningrequests': ['spec.signerName'],
  'resource.k8s.io/resourceslices': ['spec.nodeName', 'spec.driver'],
};

export function parseFieldSelector(text: string, type: ResourceType): Result<readonly FieldTerm[], string> {
  const terms: FieldTerm[] = [];
  for (const part of splitTerms(text)) {
    if (part === '') continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(part);
    if (match === null) return err(`invalid selector: '${text}'; can't understand '${part}'`);
    const [, path = '', operator, value = ''] = match;
    const escape = /\\.?/s.exec(value.replace(/\\[\\,=]/g, ''))?.[0];
    if (escape !== undefined) return err(`invalid field selector: invalid escape sequence: ${escape}`);
    const stored = storedPath(type, path);
    if (stored === undefined) return err(unsupported(type, path));
    terms.push({ path: stored, negated: operator === '!=', value: value.replace(/\\(.)/g, '$1') });
  }
  return ok(terms);
}

/** The path in the stored object; undefined for a field that this version of the kind cannot be selected by. */
function storedPath(type: ResourceType, path: string): string | undefined {
  const allowed = selectable(type);
  if (type.group !== 'events.k8s.io') return allowed.includes(path) ? path : undefined;
  if (/^involvedObject\.|^reportingComponent$|^source$/.test(path)) return undefined;
  const stored = path.replace(/^regarding\./, 'involvedObject.').replace(/^reportingController$/, 'reportingComponent');
  return allowed.includes(stored) ? stored : undefined;
}

function unsupported(type: ResourceType, path: string): string {
  // Kinds without fields of their own. Source: kubernetes@1.34 apimachinery/pkg/runtime/conversion.go DefaultMetaV1FieldSelectorConversion.
  if (SELECTABLE[type.storage] === undefined && type.definition === undefined)
    return `${JSON.stringify(path)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
  // Core kinds with a conversion function of their own word it without the kind.
  if (type.definition !== undefined) return `field label not supported: ${path}`;
  const named = new Set([
    '/events',
    '/services',
    '/pods',
    '/nodes',
    '/secrets',
    '/replicationcontrollers',
    '/namespaces',
    'certificates.k8s.io/certificatesigningrequests',
  ]);
  if (named.has(type.storage)) return `field label not supported: ${path}`;
  const version = apiVersionOf(type);
  if (type.group === 'resource.k8s.io') return `field label not supported for ${version}, Kind=${type.kind}: ${path}`;
  if (type.storage === 'batch/jobs') return `field label ${JSON.stringify(path)} not supported for Job`;
  return `field label ${JSON.stringify(path)} not supported for ${version}.${type.kind}`;
}

function splitTerms(text: string): readonly string[] {
  const terms: string[] = [];
  let current = '';
  for (let index = 0; index < text.length; index++) {
    const character = text[index] as string;
    if (character === '\\') {
      current += character + (text[++index] ?? '');
    } else if (character === ',') {
      terms.push(current);
      current = '';
    } else current += character;
  }
  terms.push(current);
  return terms;
}

function selectable(type: ResourceType): readonly string[] {
  if (type.definition === undefined) return [...META, ...(SELECTABLE[type.storage] ?? [])];
  const versions = field(type.definition.spec, 'versions');
  const version = isArray(versions) ? versions.find((candidate) => at(candidate, 'name') === type.version) : undefined;
  const fields = field(version, 'selectableFields');
  const paths = isArray(fields) ? fields.map((one) => (stringAt(one, 'jsonPath') ?? '').replace(/^\./, '')) : [];
  return [...META, ...paths];
}

export function matchesFields(terms: readonly FieldTerm[], object: KubeObject): boolean {
  return terms.every(({ path, negated, value }) => (valueOf(object, path) === value) !== negated);
}

function valueOf(object: KubeObject, path: string): string {
  const value = special(object, path) ?? at(json(object), ...path.split('.'));
  return print(value);
}

function special(object: KubeObject, path: string): Json | undefined {
  switch (path) {
    case 'status.successful':
      return at(json(object), 'status', 'succeeded') ?? 0;
    case 'status.replicas':
      return at(json(object), 'status', 'replicas') ?? 0;
    case 'spec.unschedulable':
    case 'spec.hostNetwork':
      return at(json(object), ...path.split('.')) ?? false;
    case 'source':
      return at(json(object), 'source', 'component') ?? at(json(object), 'reportingComponent') ?? '';
    default:
      return undefined;
  }
}

function print(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? '' : String(value);
}
