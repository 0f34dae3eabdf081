import type { Json } from '../../../base/json.ts';
import { compileCel } from '../../cel/cel.ts';
import { BOOL, type CelType, optional, STRING, typeOfSchema } from '../../cel/types.ts';
import { compilePattern } from '../patterns.ts';
import { mentions, validateRules } from '../rules.ts';
import { NO_REFERENCES, type Schema, type ValidationRule } from '../schema.ts';
import { validate } from '../validate.ts';
import { type Errors, forbidden, invalid, notSupported, required } from './field-checks.ts';
import { CostEstimates } from './rule-costs.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const LIST_TYPES = ['atomic', 'map', 'set'];

/**
 * What is wrong with the schema of a definition: its parts, its being structural, its defaults and its rules.
 * (apiextensions-apiserver@0.34 validation.go ValidateCustomResourceDefinitionOpenAPISchema, schema/validation.go ValidateStructural)
 */
export function structuralSchema(errors: Errors, schema: Schema, path: string): void {
  const found: Errors = [];
  const costs = new CostEstimates();
  if (schema.type === undefined || schema.type === '')
    found.push(required(`${path}.type`, 'must not be empty at the root'));
  else if (schema.type !== 'object') found.push(invalid(`${path}.type`, schema.type, 'must be object at the root'));
  visit(found, schema, path, { root: true, cardinality: 1, uncorrelatable: undefined, costs, inDefault: false });
  costs.report(found, path);
  errors.push(...found);
}

interface Place {
  readonly root: boolean;
  /** How many values of this schema one object may hold, at most. */
  readonly cardinality: number;
  /** The list in which old and new items cannot be told which is which. */
  readonly uncorrelatable: string | undefined;
  readonly costs: CostEstimates;
  readonly inDefault: boolean;
}

function visit(errors: Errors, schema: Schema, path: string, place: Place): void {
  own(errors, schema, path, place);
  lists(errors, schema, path);
  if (schema.default !== undefined && !place.inDefault) defaults(errors, schema, path);
  rules(errors, schema, path, place);
  const { properties, additionalProperties, items } = schema;
  for (const name of Object.keys(properties ?? {}).toSorted()) {
    const child = (properties as { [name: string]: Schema })[name] as Schema;
    const at = `${path}.properties[${name}]`;
    if ((place.root || schema['x-kubernetes-embedded-resource'] === true) && name === 'metadata')
      metadata(errors, child, at);
    else {
      typed(errors, child, at, 'must not be empty for specified object fields');
      visit(errors, child, at, { ...place, root: false });
    }
  }
  if (typeof additionalProperties === 'object') {
    if (properties !== undefined && Object.keys(properties).length > 0) {
      errors.push(
        forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
      );
    }
    typed(
      errors,
      additionalProperties,
      `${path}.additionalProperties`,
      'must not be empty for specified object fields',
    );
    const cardinality = place.cardinality * place.costs.mapSize(schema);
    visit(errors, additionalProperties, `${path}.additionalProperties`, { ...place, root: false, cardinality });
  }
  if (items !== undefined) {
    typed(errors, items, `${path}.items`, 'must not be empty for specified array items');
    const cardinality = place.cardinality * place.costs.listSize(schema);
    const uncorrelatable =
      schema['x-kubernetes-list-type'] === 'map' ? place.uncorrelatable : (place.uncorrelatable ?? path);
    visit(errors, items, `${path}.items`, { ...place, root: false, cardinality, uncorrelatable });
  } else if (schema.type === 'array') errors.push(required(`${path}.items`, 'must be specified'));
  for (const key of ['allOf', 'anyOf', 'oneOf'] as const)
    schema[key]?.forEach((child, index) => valueValidation(errors, child, `${path}.${key}[${index}]`, schema));
  if (schema.not !== undefined) valueValidation(errors, schema.not, `${path}.not`, schema);
}

function typed(errors: Errors, schema: Schema, path: string, message: string): void {
  const exempt =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if ((schema.type === undefined || schema.type === '') && !exempt) errors.push(required(`${path}.type`, message));
}

function own(errors: Errors, schema: Schema, path: string, place: Place): void {
  if (schema.uniqueItems === true) {
    errors.push(
      forbidden(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  }
  const { type } = schema;
  if (type !== undefined && type !== '' && !TYPES.includes(type) && !place.root)
    errors.push(notSupported(`${path}.type`, type, TYPES));
  if (schema.pattern !== undefined && compilePattern(schema.pattern) === undefined) {
    errors.push(
      invalid(
        `${path}.pattern`,
        schema.pattern,
        `must be a valid regular expression, but isn't: error parsing regexp: invalid pattern: \`${schema.pattern}\``,
      ),
    );
  }
  if (schema['x-kubernetes-embedded-resource'] === true) {
    if (type !== 'object')
      errors.push(invalid(`${path}.type`, type ?? '', 'must be object if x-kubernetes-embedded-resource is true'));
    const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
    if (!open && Object.keys(schema.properties ?? {}).length === 0) {
      errors.push(
        required(
          `${path}.properties`,
          'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
        ),
      );
    }
  }
  if (schema['x-kubernetes-int-or-string'] === true && type !== undefined && type !== '') {
    errors.push(forbidden(`${path}.type`, 'must be empty if x-kubernetes-int-or-string is true'));
  }
}

function lists(errors: Errors, schema: Schema, path: string): void {
  const kind = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'];
  const mapType = schema['x-kubernetes-map-type'];
  if (mapType !== undefined && mapType !== 'atomic' && mapType !== 'granular') {
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
  }
  if (kind === undefined) {
    if (keys !== undefined && keys.length > 0)
      errors.push(required(`${path}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty'));
    return;
  }
  if (schema.type !== 'array') {
    if (schema.type === undefined)
      errors.push(required(`${path}.type`, 'must be array if x-kubernetes-list-type is specified'));
    else errors.push(invalid(`${path}.type`, schema.type, 'must be array if x-kubernetes-list-type is specified'));
  }
  if (!LIST_TYPES.includes(kind)) errors.push(notSupported(`${path}.x-kubernetes-list-type`, kind, LIST_TYPES));
  if (kind === 'set') {
    const scalar = !['object', 'array'].includes(schema.items?.type ?? '');
    const atomic =
      schema.items?.['x-kubernetes-map-type'] === 'atomic' || schema.items?.['x-kubernetes-list-type'] === 'atomic';
    if (!scalar && !atomic && schema.items?.type === 'object') {
      errors.push(
        invalid(
          `${path}.items.x-kubernetes-map-type`,
          schema.items['x-kubernetes-map-type'] ?? '',
          'must be atomic as item of a list with x-kubernetes-list-type=set',
        ),
      );
    }
  }
  if (kind !== 'map') return;
  if (keys === undefined || keys.length === 0) {
    errors.push(required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
    return;
  }
  if (schema.items !== undefined && schema.items.type !== 'object') {
    errors.push(
      invalid(
        `${path}.items.type`,
        schema.items.type ?? '',
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    );
  }
  const seen = new Set<string>();
  keys.forEach((key, index) => {
    const property = schema.items?.properties?.[key];
    if (property === undefined) {
      errors.push(
        invalid(`${path}.x-kubernetes-list-map-keys[${index}]`, key, 'entries must all be names of item properties'),
      );
    } else {
      if (property.default === undefined && schema.items?.required?.includes(key) !== true) {
        errors.push(
          required(
            `${path}.items.properties[${key}].default`,
            'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          ),
        );
      }
      if (seen.has(key))
        errors.push({
          field: `${path}.x-kubernetes-list-map-keys[${index}]`,
          reason: 'FieldValueDuplicate',
          message: `Duplicate value: ${JSON.stringify(key)}`,
        });
    }
    seen.add(key);
  });
}

function defaults(errors: Errors, schema: Schema, path: string): void {
  const value = schema.default as Json;
  const wrong = validate(value, schema);
  for (const problem of wrong.length > 0 ? wrong : validateRules(value, schema)) {
    const below = problem.field === '<nil>' || problem.field === '' ? '' : `.${problem.field}`;
    errors.push({ ...problem, field: `${path}.default${below}` });
  }
}

function metadata(errors: Errors, schema: Schema, path: string): void {
  const names = Object.keys(schema.properties ?? {});
  if (names.some((name) => name !== 'name' && name !== 'generateName')) {
    errors.push(
      forbidden(
        path,
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    );
  }
}

const FORBIDDEN_INSIDE = [
  'description',
  'type',
  'default',
  'additionalProperties',
  'nullable',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-validations',
] as const;

/** Inside of allOf, anyOf, oneOf and not only values may be judged, never structure. */
function valueValidation(errors: Errors, schema: Schema, path: string, parent: Schema): void {
  const intOrString = parent['x-kubernetes-int-or-string'] === true;
  for (const key of FORBIDDEN_INSIDE) {
    if (schema[key] === undefined || schema[key] === '' || schema[key] === false) continue;
    if (key === 'type' && intOrString) continue;
    errors.push(forbidden(`${path}.${key}`, 'must be empty to be structural'));
  }
  for (const name of Object.keys(schema.properties ?? {}).toSorted()) {
    const child = schema.properties?.[name] as Schema;
    const declared = parent.properties?.[name];
    if (declared === undefined && typeof parent.additionalProperties !== 'object') {
      errors.push(
        required(
          `${path.replace(/\.(?:allOf|anyOf|oneOf)\[\d+\]$|\.not$/, '')}.properties[${name}]`,
          `because it is defined in ${path}.properties[${name}]`,
        ),
      );
    }
    valueValidation(errors, child, `${path}.properties[${name}]`, declared ?? {});
  }
  for (const key of ['allOf', 'anyOf', 'oneOf'] as const)
    schema[key]?.forEach((child, index) => valueValidation(errors, child, `${path}.${key}[${index}]`, parent));
  if (schema.not !== undefined) valueValidation(errors, schema.not, `${path}.not`, parent);
}

function rules(errors: Errors, schema: Schema, path: string, place: Place): void {
  schema['x-kubernetes-validations']?.forEach((rule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    if (rule.rule.trim() === '') {
      errors.push(required(`${at}.rule`, 'rule is not specified'));
      return;
    }
    texts(errors, rule, at);
    fieldPath(errors, rule, schema, at);
    expressions(errors, rule, schema, at, place);
  });
}

function texts(errors: Errors, rule: ValidationRule, at: string): void {
  const message = rule.message ?? '';
  if (message !== '' && message.trim() === '')
    errors.push(invalid(`${at}.message`, message, 'must be non-empty if specified'));
  else if (message.includes('\n')) errors.push(invalid(`${at}.message`, message, 'must not contain line breaks'));
  if (rule.rule.includes('\n') && message === '') {
    errors.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'));
  }
  if (rule.messageExpression !== undefined && rule.messageExpression !== '' && rule.messageExpression.trim() === '') {
    errors.push(required(`${at}.messageExpression`, 'must be non-empty if specified'));
  }
  if (rule.reason !== undefined && !REASONS.includes(rule.reason))
    errors.push(notSupported(`${at}.reason`, rule.reason, REASONS));
}

function fieldPath(errors: Errors, rule: ValidationRule, schema: Schema, at: string): void {
  const own = rule.fieldPath ?? '';
  if (own === '') return;
  let current: Schema | undefined = schema;
  const steps = own.match(/\.[^.[\]]+|\['[^']*'\]/g) ?? [];
  if (steps.join('') !== own) current = undefined;
  for (const step of steps) {
    const name = step.startsWith('.') ? step.slice(1) : step.slice(2, -2);
    const next: Schema | undefined = current?.properties?.[name];
    current = next ?? (typeof current?.additionalProperties === 'object' ? current.additionalProperties : undefined);
  }
  if (current === undefined) errors.push(invalid(`${at}.fieldPath`, own, 'must be a valid path'));
}

/** A rule as Go prints its internal type. */
function ruleDump(rule: ValidationRule): Json {
  return {
    Rule: rule.rule,
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
}

function expressions(errors: Errors, rule: ValidationRule, schema: Schema, at: string, place: Place): void {
  const self: CelType = typeOfSchema(schema, NO_REFERENCES, place.root);
  const variables = { self, oldSelf: rule.optionalOldSelf === true ? optional(self) : self };
  const compiled = compileCel(rule.rule, { variables, result: BOOL, libraries: 'kubernetes' });
  if (!compiled.ok) {
    const text = compiled.error.message.startsWith('ERROR')
      ? `compilation failed: ${compiled.error.message}`
      : 'cel expression must evaluate to a bool';
    errors.push(invalid(`${at}.rule`, ruleDump(rule), text));
    if (rule.optionalOldSelf !== undefined)
      errors.push(
        invalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'),
      );
    return;
  }
  const { expr } = compiled.value;
  const text = rule.messageExpression ?? '';
  const message = text === '' ? undefined : compileCel(text, { variables, result: STRING, libraries: 'kubernetes' });
  if (message !== undefined && !message.ok) {
    const why = message.error.message.startsWith('ERROR')
      ? `messageExpression compilation failed: ${message.error.message}`
      : 'messageExpression must evaluate to a string';
    errors.push(invalid(`${at}.messageExpression`, ruleDump(rule), why));
  }
  place.costs.rule(errors, expr, schema, place.cardinality, `${at}.rule`, 'rule');
  if (message?.ok === true)
    place.costs.rule(
      errors,
      message.value.expr,
      schema,
      place.cardinality,
      `${at}.messageExpression`,
      'messageExpression',
    );
  const usesOld = mentions(expr, 'oldSelf');
  if (usesOld && place.uncorrelatable !== undefined) {
    errors.push(
      invalid(
        `${at}.rule`,
        rule.rule,
        `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelatable}`,
      ),
    );
  }
  if (rule.optionalOldSelf !== undefined && !usesOld) {
    errors.push(
      invalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'),
    );
  }
}
