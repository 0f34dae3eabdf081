import type { Json, JsonObject } from '../../../base/json.ts';
import { isIpv4, isIpv6 } from '../formats.ts';
import { dns1123Label, labelValue, qualifiedName } from '../names.ts';
import {
  duplicate,
  type Errors,
  each,
  forbidden,
  has,
  invalid,
  items,
  labelSelector,
  notSupported,
  number,
  object,
  required,
  Seen,
  text,
  texts,
} from './field-checks.ts';
import { internalForm, TOLERATION } from './internal-form.ts';
import { nodeSelectorTerm, nodeSelectorTerms } from './node-selector.ts';

/** Where pods go, and what they hear of names there. (kubernetes@1.34 pkg/apis/core/validation) */

const SEARCH = /^_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;
const SEARCH_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";

export function dnsConfig(errors: Errors, spec: JsonObject, policy: string, path: string): void {
  const own = object(spec, 'dnsConfig');
  const servers = texts(own, 'nameservers');
  if (policy === 'None') {
    if (own === undefined) {
      errors.push(required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'));
      return;
    }
    if (servers.length === 0) {
      errors.push(required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
      return;
    }
  }
  if (servers.length > 3) errors.push(invalid(`${path}.nameservers`, servers, 'must not have more than 3 nameservers'));
  servers.forEach((server, index) => {
    if (!isIpv4(server) && !isIpv6(server))
      errors.push(
        invalid(
          `${path}.nameservers[${index}]`,
          server,
          'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ),
      );
  });
  const searches = texts(own, 'searches');
  if (searches.length > 32)
    errors.push(invalid(`${path}.searches`, searches, 'must not have more than 32 search paths'));
  if (searches.join(' ').length > 2048)
    errors.push(
      invalid(
        `${path}.searches`,
        searches,
        'must not have more than 2048 characters (including spaces) in the search list',
      ),
    );
  searches.forEach((search, index) => {
    if (search === '.') return;
    const bare = search.replace(/\.$/, '');
    const at = `${path}.searches[${index}]`;
    if (bare.length > 253) errors.push(invalid(at, bare, 'must be no more than 253 characters'));
    if (!SEARCH.test(bare)) errors.push(invalid(at, bare, SEARCH_RULE));
  });
  items(own, 'options').forEach((option, index) => {
    if (text(option, 'name') === '') errors.push(required(`${path}.options[${index}]`, 'must not be empty'));
  });
}

export function schedulingGates(errors: Errors, spec: JsonObject, path: string): void {
  const names = new Seen();
  items(spec, 'schedulingGates').forEach((gate, index) => {
    const name = text(gate, 'name');
    each(errors, qualifiedName(name), `${path}[${index}]`, name);
    if (!names.add(name)) errors.push(duplicate(`${path}[${index}]`, name));
  });
}

/** Keys of labels that make a selector narrower. (ValidateMatchLabelKeysAndMismatchLabelKeys) */
function labelKeys(errors: Errors, term: Json, path: string): void {
  const lists = ['matchLabelKeys', 'mismatchLabelKeys'] as const;
  const selector = object(term, 'labelSelector');
  for (const key of lists)
    if (selector === undefined && texts(term, key).length > 0)
      errors.push(forbidden(`${path}.${key}`, 'must not be specified when labelSelector is not set'));
  for (const key of lists)
    texts(term, key).forEach((own, index) => each(errors, qualifiedName(own), `${path}.${key}[${index}]`, own));
  const match = new Set(texts(term, 'matchLabelKeys'));
  texts(term, 'mismatchLabelKeys').forEach((own, index) => {
    if (match.has(own))
      errors.push(
        invalid(`${path}.matchLabelKeys[${index}]`, own, 'exists in both matchLabelKeys and mismatchLabelKeys'),
      );
  });
}

export function affinity(errors: Errors, own: JsonObject | undefined, path: string): void {
  const node = object(own, 'nodeAffinity');
  const needed = object(node, 'requiredDuringSchedulingIgnoredDuringExecution');
  if (needed !== undefined)
    nodeSelectorTerms(errors, needed, `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`, true);
  items(node, 'preferredDuringSchedulingIgnoredDuringExecution').forEach((term, index) => {
    const at = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
    weight(errors, term, at);
    nodeSelectorTerm(errors, object(term, 'preference') ?? {}, `${at}.preference`, false);
  });
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const group = object(own, kind);
    items(group, 'requiredDuringSchedulingIgnoredDuringExecution').forEach((term, index) => {
      podTerm(errors, term, `${path}.${kind}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`);
    });
    items(group, 'preferredDuringSchedulingIgnoredDuringExecution').forEach((term, index) => {
      const at = `${path}.${kind}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
      weight(errors, term, at);
      podTerm(errors, object(term, 'podAffinityTerm') ?? {}, `${at}.podAffinityTerm`);
    });
  }
}

function weight(errors: Errors, term: Json, path: string): void {
  const value = number(term, 'weight') ?? 0;
  if (value < 1 || value > 100) errors.push(invalid(`${path}.weight`, value, 'must be in the range 1-100'));
}

function podTerm(errors: Errors, term: Json, path: string): void {
  labelSelector(errors, object(term, 'labelSelector'), `${path}.labelSelector`);
  labelSelector(errors, object(term, 'namespaceSelector'), `${path}.namespaceSelector`);
  for (const name of texts(term, 'namespaces')) each(errors, dns1123Label(name), `${path}.namespace`, name);
  labelKeys(errors, term, path);
  const key = text(term, 'topologyKey');
  if (key === '') errors.push(required(`${path}.topologyKey`, 'can not be empty'));
  each(errors, qualifiedName(key), `${path}.topologyKey`, key);
}

export function topology(errors: Errors, spec: JsonObject, path: string): void {
  const all = items(spec, 'topologySpreadConstraints');
  all.forEach((constraint, index) => {
    const at = `${path}[${index}]`;
    const skew = number(constraint, 'maxSkew') ?? 0;
    if (skew <= 0) errors.push(invalid(`${at}.maxSkew`, skew, 'must be greater than zero'));
    const key = text(constraint, 'topologyKey');
    if (key === '') errors.push(required(`${at}.topologyKey`, 'can not be empty'));
    const action = text(constraint, 'whenUnsatisfiable');
    if (!['DoNotSchedule', 'ScheduleAnyway'].includes(action))
      errors.push(notSupported(`${at}.whenUnsatisfiable`, action, ['DoNotSchedule', 'ScheduleAnyway']));
    const same = (other: Json): boolean =>
      text(other, 'topologyKey') === key && text(other, 'whenUnsatisfiable') === action;
    if (all.slice(index + 1).some(same))
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${key}, ${action}}`));
    const least = number(constraint, 'minDomains');
    if (least !== undefined && least <= 0) errors.push(invalid(`${at}.minDomains`, least, 'must be greater than zero'));
    if (least !== undefined && action !== 'DoNotSchedule')
      errors.push(
        invalid(`${at}.minDomains`, least, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`),
      );
    for (const policy of ['nodeAffinityPolicy', 'nodeTaintsPolicy'])
      if (has(constraint, policy) && !['Honor', 'Ignore'].includes(text(constraint, policy)))
        errors.push(notSupported(`${at}.${policy}`, text(constraint, policy), ['Honor', 'Ignore']));
    labelKeys(errors, constraint, at);
    labelSelector(errors, object(constraint, 'labelSelector'), `${at}.labelSelector`);
  });
}

export function tolerations(errors: Errors, spec: JsonObject, path: string): void {
  items(spec, 'tolerations').forEach((toleration, index) => {
    const at = `${path}[${index}]`;
    const [key, operator, value, effect] = ['key', 'operator', 'value', 'effect'].map((name) =>
      text(toleration, name),
    ) as [string, string, string, string];
    if (key !== '') each(errors, qualifiedName(key), `${at}.key`, key);
    if (key === '' && operator !== 'Exists')
      errors.push(
        invalid(
          `${at}.operator`,
          operator,
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    if (has(toleration, 'tolerationSeconds') && effect !== 'NoExecute')
      errors.push(invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (operator === 'Equal' || operator === '') each(errors, labelValue(value), `${at}.operator`, value);
    else if (operator === 'Exists') {
      if (value !== '')
        errors.push(
          invalid(
            `${at}.operator`,
            internalForm(toleration, TOLERATION),
            "value must be empty when `operator` is 'Exists'",
          ),
        );
    } else errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
    taintEffect(errors, effect, `${at}.effect`, true);
  });
}

export function taintEffect(errors: Errors, effect: string, path: string, mayBeEmpty: boolean): void {
  if (['NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(effect) || (mayBeEmpty && effect === '')) return;
  if (effect === '') errors.push(required(path));
  else errors.push(notSupported(path, effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']));
}
