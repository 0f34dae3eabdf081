import type { Json, JsonObject } from '../../../base/json.ts';
import { dns1123Label, dns1123Subdomain } from '../names.ts';
import {
  type Errors,
  each,
  forbidden,
  has,
  invalid,
  items,
  notSupported,
  number,
  object,
  required,
  text,
  texts,
} from './field-checks.ts';

/** (kubernetes@1.34 pkg/apis/flowcontrol/validation) */

const EXEMPT = 'exempt';
const ALL = '*';
const MAX_PRECEDENCE = 10_000;
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const METHODS = ['ByNamespace', 'ByUser'];

export function flowSchema(errors: Errors, value: JsonObject): void {
  const spec = object(value, 'spec') ?? {};
  const precedence = number(spec, 'matchingPrecedence') ?? 0;
  const at = 'spec.matchingPrecedence';
  if (precedence <= 0) errors.push(invalid(at, precedence, 'must be a positive value'));
  if (precedence > MAX_PRECEDENCE) errors.push(invalid(at, precedence, `must not be greater than ${MAX_PRECEDENCE}`));
  if (precedence === 1 && text(object(value, 'metadata'), 'name') !== EXEMPT)
    errors.push(invalid(at, precedence, `only the schema named '${EXEMPT}' may have matchingPrecedence 1`));
  const method = object(spec, 'distinguisherMethod');
  if (method !== undefined && !METHODS.includes(text(method, 'type')))
    errors.push(notSupported('spec.distinguisherMethod.type', { Type: text(method, 'type') }, METHODS));
  const level = text(object(spec, 'priorityLevelConfiguration'), 'name');
  const levelAt = 'spec.priorityLevelConfiguration.name';
  if (level === '') errors.push(required(levelAt, 'must reference a priority level'));
  else each(errors, dns1123Subdomain(level), levelAt, level);
  items(spec, 'rules').forEach((rule, index) => policyRule(errors, rule, `spec.rules[${index}]`));
}

function policyRule(errors: Errors, rule: Json, path: string): void {
  const subjects = items(rule, 'subjects');
  if (subjects.length === 0) errors.push(required(`${path}.subjects`, 'subjects must contain at least one value'));
  subjects.forEach((one, index) => subject(errors, one, `${path}.subjects[${index}]`));
  const [resources, others] = [items(rule, 'resourceRules'), items(rule, 'nonResourceRules')];
  if (resources.length + others.length === 0)
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  resources.forEach((one, index) => resourceRule(errors, one, `${path}.resourceRules[${index}]`));
  others.forEach((one, index) => nonResourceRule(errors, one, `${path}.nonResourceRules[${index}]`));
}

/** Which field belongs to which kind of subject, in the order in which the others are looked for. */
const SUBJECTS: { readonly [kind: string]: string } = {
  ServiceAccount: 'serviceAccount',
  User: 'user',
  Group: 'group',
};

function subject(errors: Errors, one: Json, path: string): void {
  const kind = text(one, 'kind');
  const own = Object.hasOwn(SUBJECTS, kind) ? SUBJECTS[kind] : undefined;
  if (own === undefined) {
    errors.push(notSupported(`${path}.kind`, kind, ['Group', 'ServiceAccount', 'User']));
    return;
  }
  const given = object(one, own);
  const at = `${path}.${own}`;
  if (given === undefined) errors.push(required(at, `${own} is required when subject kind is '${kind}'`));
  else {
    const name = text(given, 'name');
    if (name === '') errors.push(required(`${at}.name`));
    else if (own === 'serviceAccount' && name !== ALL) each(errors, dns1123Subdomain(name), `${at}.name`, name);
    if (own === 'serviceAccount') {
      const namespace = text(given, 'namespace');
      if (namespace === '') errors.push(required(`${at}.namespace`, 'must specify namespace for service account'));
      else each(errors, dns1123Label(namespace), `${at}.namespace`, namespace);
    }
  }
  for (const [other, field] of Object.entries(SUBJECTS)) {
    if (field !== own && object(one, field) !== undefined)
      errors.push(forbidden(`${path}.${field}`, `${field} is forbidden when subject kind is not '${other}'`));
  }
}

function verbs(errors: Errors, rule: Json, path: string): void {
  const own = texts(rule, 'verbs');
  if (own.length === 0) errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'));
  else if (own.includes(ALL)) alone(errors, own, `${path}.verbs`, 'verbs');
  else if (own.some((verb) => !VERBS.includes(verb))) errors.push(notSupported(`${path}.verbs`, own, VERBS));
}

function alone(errors: Errors, own: readonly string[], path: string, what: string): void {
  if (own.includes(ALL) && own.length > 1)
    errors.push(invalid(path, own, `if '${ALL}' is present, must not specify other ${what}`));
}

function resourceRule(errors: Errors, rule: Json, path: string): void {
  verbs(errors, rule, path);
  for (const [key, one, many] of [
    ['apiGroups', 'api group', 'api groups'],
    ['resources', 'resource', 'resources'],
  ] as const) {
    const own = texts(rule, key);
    if (own.length === 0) errors.push(required(`${path}.${key}`, `resource rules must supply at least one ${one}`));
    else alone(errors, own, `${path}.${key}`, many);
  }
  const namespaces = texts(rule, 'namespaces');
  const at = `${path}.namespaces`;
  if (namespaces.length === 0) {
    if (object({ rule }, 'rule')?.['clusterScope'] !== true)
      errors.push(required(at, 'resource rules that are not cluster scoped must supply at least one namespace'));
  } else if (namespaces.includes(ALL)) alone(errors, namespaces, at, 'namespaces');
  else {
    namespaces.forEach((namespace, index) => {
      const wrong = dns1123Label(namespace).map(
        (message) => `each member of this list must be '${ALL}' or a DNS-1123 label; ${message}`,
      );
      each(errors, wrong, `${at}[${index}]`, namespace);
    });
  }
}

function nonResourceRule(errors: Errors, rule: Json, path: string): void {
  verbs(errors, rule, path);
  const urls = texts(rule, 'nonResourceURLs');
  const at = `${path}.nonResourceURLs`;
  if (urls.length === 0) errors.push(required(at, 'nonResourceURLs must contain at least one value'));
  else if (urls.includes(ALL)) alone(errors, urls, at, 'non-resource URLs');
  else
    urls.forEach((url, index) => {
      const wrong = pathProblem(url);
      if (wrong !== undefined) errors.push(invalid(`${at}[${index}]`, url, wrong));
    });
}

function pathProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  if (url.slice(0, -1).includes(ALL) || (url.endsWith(ALL) && !url.endsWith(`/${ALL}`)))
    return 'wildcard can only do suffix matching';
  return undefined;
}

export function priorityLevelConfiguration(errors: Errors, value: JsonObject): void {
  const spec = object(value, 'spec') ?? {};
  const type = text(spec, 'type');
  if ((text(object(value, 'metadata'), 'name') === EXEMPT) !== (type === 'Exempt') && type !== '')
    errors.push(invalid('spec.type', type, `must be 'Exempt' if and only if \`name\` is '${EXEMPT}'`));
  const [limited, exempt] = [object(spec, 'limited'), object(spec, 'exempt')];
  if (type === 'Exempt') {
    if (limited !== undefined) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
    if (exempt !== undefined) shares(errors, exempt, 'spec.exempt');
    if (exempt !== undefined) lendable(errors, exempt, 'spec.exempt');
  } else if (type === 'Limited') {
    if (exempt !== undefined) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'));
    if (limited === undefined) errors.push(required('spec.limited', 'must not be empty when type is Limited'));
    else limitedLevel(errors, limited, 'spec.limited');
  } else errors.push(notSupported('spec.type', type, ['Exempt', 'Limited']));
}

function shares(errors: Errors, own: JsonObject, path: string): void {
  const count = number(own, 'nominalConcurrencyShares');
  if (count !== undefined && count < 0)
    errors.push(invalid(`${path}.nominalConcurrencyShares`, count, 'must be a non-negative integer'));
}

function lendable(errors: Errors, own: JsonObject, path: string): void {
  const percent = number(own, 'lendablePercent');
  if (percent !== undefined && (percent < 0 || percent > 100))
    errors.push(invalid(`${path}.lendablePercent`, percent, 'must be between 0 and 100, inclusive'));
}

function limitedLevel(errors: Errors, own: JsonObject, path: string): void {
  shares(errors, own, path);
  const response = object(own, 'limitResponse') ?? {};
  const at = `${path}.limitResponse`;
  const type = text(response, 'type');
  const queuing = object(response, 'queuing');
  if (type === 'Reject') {
    if (queuing !== undefined)
      errors.push(forbidden(`${at}.queuing`, 'must be nil if limited.limitResponse.type is not Limited'));
  } else if (type !== 'Queue') errors.push(notSupported(`${at}.type`, type, ['Queue', 'Reject']));
  else if (queuing === undefined)
    errors.push(required(`${at}.queuing`, 'must not be empty if limited.limitResponse.type is Limited'));
  else queues(errors, queuing, `${at}.queuing`);
  lendable(errors, own, path);
  const borrowed = number(own, 'borrowingLimitPercent');
  if (has(own, 'borrowingLimitPercent') && borrowed !== undefined && borrowed < 0)
    errors.push(invalid(`${path}.borrowingLimitPercent`, borrowed, 'if specified, must be a non-negative integer'));
}

const MAX_QUEUES = 10_000_000;
/** Bits of a hash that the shuffle sharding may use. */
const MAX_ENTROPY = 60;

function queues(errors: Errors, own: JsonObject, path: string): void {
  const [count, hand, length] = ['queues', 'handSize', 'queueLengthLimit'].map((key) => number(own, key) ?? 0) as [
    number,
    number,
    number,
  ];
  if (length <= 0) errors.push(invalid(`${path}.queueLengthLimit`, length, 'must be positive'));
  if (count <= 0) errors.push(invalid(`${path}.queues`, count, 'must be positive'));
  else if (count > MAX_QUEUES) errors.push(invalid(`${path}.queues`, count, `must not be greater than ${MAX_QUEUES}`));
  if (hand <= 0) errors.push(invalid(`${path}.handSize`, hand, 'must be positive'));
  else if (hand > count) errors.push(invalid(`${path}.handSize`, hand, `should not be greater than queues (${count})`));
  else if (entropy(count, hand) > MAX_ENTROPY)
    errors.push(
      invalid(
        `${path}.handSize`,
        hand,
        `required entropy bits of deckSize ${count} and handSize ${hand} should not be greater than ${MAX_ENTROPY}`,
      ),
    );
}

/** Bits that dealing a hand takes. (apiserver/pkg/util/shufflesharding RequiredEntropyBits) */
function entropy(deck: number, hand: number): number {
  if (hand > MAX_ENTROPY && deck > 2 * MAX_ENTROPY) return MAX_ENTROPY + 1;
  let bits = 0;
  for (let index = 0; index < hand && bits <= MAX_ENTROPY; index++) bits += Math.log2(deck - index);
  return Math.ceil(bits);
}
