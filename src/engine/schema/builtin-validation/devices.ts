import type { Json, JsonObject } from '../../../base/json.ts';
import { tooLong } from '../field-error.ts';
import { dns1123Label, dns1123Subdomain } from '../names.ts';
import {
  duplicate,
  type Errors,
  each,
  equalOr,
  has,
  IMMUTABLE,
  invalid,
  items,
  labels,
  notSupported,
  number,
  object,
  required,
  Seen,
  text,
  texts,
} from './field-checks.ts';
import { internalForm, listOf, pointer } from './internal-form.ts';

/** What claims of devices and their classes must say; expressions are not compiled here. (kubernetes@1.34 pkg/apis/resource/validation) */

const MAX_DRIVER = 63;
const MODES = ['All', 'ExactCount'];

export function deviceClass(errors: Errors, value: JsonObject): void {
  const spec = object(value, 'spec') ?? {};
  selectors(errors, spec, 'spec.selectors');
  items(spec, 'config').forEach((one, index) => opaque(errors, one, `spec.config[${index}]`));
}

export function resourceClaim(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  if (old !== undefined && !equalOr(value['spec'], old['spec']))
    errors.push(invalid('spec', internalForm(value['spec'], CLAIM), IMMUTABLE));
  claimSpec(errors, object(value, 'spec') ?? {}, 'spec');
}

export function resourceClaimTemplate(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  if (old !== undefined && !equalOr(spec, old['spec'])) {
    const form = { ...object(spec, 'metadata'), Spec: internalForm(spec['spec'], CLAIM) };
    errors.push(invalid('spec', form, IMMUTABLE));
  }
  labels(errors, object(object(spec, 'metadata'), 'labels'), 'spec.metadata.labels');
  claimSpec(errors, object(spec, 'spec') ?? {}, 'spec.spec');
}

const SELECTORS = listOf([['CEL', 'cel', pointer([['Expression', 'expression', '']])]]);
const WANTED = [
  ['DeviceClassName', 'deviceClassName', ''],
  ['Selectors', 'selectors', SELECTORS],
  ['AllocationMode', 'allocationMode', ''],
  ['Count', 'count', 0],
] as const;
const MORE = [
  ['Tolerations', 'tolerations', null],
  ['Capacity', 'capacity', null],
] as const;
/** A claim's spec as messages quote it. */
const CLAIM = [
  [
    'Devices',
    'devices',
    (devices: Json | undefined): Json =>
      internalForm(devices, [
        [
          'Requests',
          'requests',
          listOf([
            ['Name', 'name', ''],
            ['Exactly', 'exactly', pointer([...WANTED, ['AdminAccess', 'adminAccess', null], ...MORE])],
            ['FirstAvailable', 'firstAvailable', listOf([['Name', 'name', ''], ...WANTED, ...MORE])],
          ]),
        ],
        [
          'Constraints',
          'constraints',
          listOf([
            ['Requests', 'requests', null],
            ['MatchAttribute', 'matchAttribute', null],
            ['DistinctAttribute', 'distinctAttribute', null],
          ]),
        ],
        [
          'Config',
          'config',
          listOf([
            ['Requests', 'requests', null],
            [
              'Opaque',
              'opaque',
              pointer([
                ['Driver', 'driver', ''],
                ['Parameters', 'parameters', null],
              ]),
            ],
          ]),
        ],
      ]),
  ],
] as const;

function claimSpec(errors: Errors, spec: JsonObject, path: string): void {
  const devices = object(spec, 'devices') ?? {};
  const at = `${path}.devices`;
  const known = new Set<string>();
  const names = new Seen();
  items(devices, 'requests').forEach((one, index) => {
    request(errors, one, `${at}.requests[${index}]`, names);
    const name = text(one, 'name');
    known.add(name);
    for (const sub of items(one, 'firstAvailable')) known.add(`${name}/${text(sub, 'name')}`);
  });
  known.delete('');
  items(devices, 'constraints').forEach((one, index) => {
    const own = `${at}.constraints[${index}]`;
    requestNames(errors, one, known, own);
    if (has(one, 'matchAttribute')) attribute(errors, text(one, 'matchAttribute'), `${own}.matchAttribute`);
    else errors.push(required(`${own}.matchAttribute`));
  });
  items(devices, 'config').forEach((one, index) => {
    requestNames(errors, one, known, `${at}.config[${index}]`);
    opaque(errors, one, `${at}.config[${index}]`);
  });
}

function request(errors: Errors, one: Json, path: string, names: Seen): void {
  named(errors, text(one, 'name'), `${path}.name`, names);
  const [exactly, available] = [object(one, 'exactly'), items(one, 'firstAvailable')];
  if ((exactly === undefined) === (available.length === 0)) {
    const detail = 'exactly one of `exactly` or `firstAvailable` is required';
    if (exactly === undefined) errors.push(required(path, detail));
    else errors.push({ field: path, reason: 'FieldValueInvalid', message: `Invalid value: ${detail}` });
    return;
  }
  if (exactly !== undefined) wanted(errors, exactly, `${path}.exactly`);
  const subs = new Seen();
  available.forEach((sub, index) => {
    const at = `${path}.firstAvailable[${index}]`;
    named(errors, text(sub, 'name'), `${at}.name`, subs);
    wanted(errors, sub, at);
  });
}

function named(errors: Errors, name: string, path: string, names: Seen): void {
  const wrong = dns1123Label(name);
  each(errors, wrong, path, name);
  if (!names.add(name)) errors.push(duplicate(path, name));
}

/** A class, and how many devices of it. */
function wanted(errors: Errors, one: Json, path: string): void {
  const name = text(one, 'deviceClassName');
  if (name === '') errors.push(required(`${path}.deviceClassName`));
  else each(errors, dns1123Subdomain(name), `${path}.deviceClassName`, name);
  selectors(errors, one, `${path}.selectors`);
  const mode = text(one, 'allocationMode');
  const count = number(one, 'count') ?? 0;
  if (mode === 'All') {
    if (count !== 0) errors.push(invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"));
  } else if (mode === 'ExactCount') {
    if (count <= 0) errors.push(invalid(`${path}.count`, count, 'must be greater than zero'));
  } else if (mode !== '') errors.push(notSupported(`${path}.allocationMode`, mode, MODES));
}

function selectors(errors: Errors, one: Json, path: string): void {
  items(one, 'selectors').forEach((selector, index) => {
    if (object(selector, 'cel') === undefined) errors.push(required(`${path}[${index}].cel`));
  });
}

function requestNames(errors: Errors, one: Json, known: ReadonlySet<string>, path: string): void {
  const seen = new Seen();
  texts(one, 'requests').forEach((name, index) => {
    const at = `${path}.requests[${index}]`;
    for (const part of name.split('/')) each(errors, dns1123Label(part), at, part);
    if (!known.has(name)) {
      const detail =
        "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
      errors.push(invalid(at, name, detail));
    }
    if (!seen.add(name)) errors.push(duplicate(at, name));
  });
}

/** `example.com/name`. (validateFullyQualifiedName) */
function attribute(errors: Errors, name: string, path: string): void {
  if (name === '') {
    errors.push(required(path, 'name required'));
    return;
  }
  const slash = name.indexOf('/');
  const [domain, own] = slash < 0 ? ['', name] : [name.slice(0, slash), name.slice(slash + 1)];
  if (slash >= 0) driver(errors, domain, path);
  if (own.length > 32) errors.push(tooLong(path, 32));
  else if (!/^[A-Za-z_]\w*$/.test(own)) errors.push(invalid(path, own, IDENTIFIER));
  if (slash < 0) errors.push(invalid(path, name, 'must include a domain'));
}

const IDENTIFIER =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";

function driver(errors: Errors, name: string, path: string): void {
  if (name === '') errors.push(required(path));
  if (name.length > MAX_DRIVER) errors.push(tooLong(path, MAX_DRIVER));
  each(errors, dns1123Subdomain(name), path, name);
}

function opaque(errors: Errors, one: Json, path: string): void {
  const own = object(one, 'opaque');
  if (own === undefined) {
    errors.push(required(`${path}.opaque`));
    return;
  }
  driver(errors, text(own, 'driver'), `${path}.opaque.driver`);
  if (!has(own, 'parameters')) errors.push(required(`${path}.opaque.parameters`));
}
