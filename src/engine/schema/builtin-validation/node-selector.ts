import type { Json } from '../../../base/json.ts';
import { dns1123Subdomain, labelValue, qualifiedName } from '../names.ts';
import { type Errors, each, forbidden, invalid, items, required, text, texts } from './field-checks.ts';

/** Terms that choose nodes; `strict` also looks at label values. (ValidateNodeSelector of kubernetes@1.34 pkg/apis/core/validation) */
export function nodeSelectorTerms(errors: Errors, selector: Json | undefined, path: string, strict: boolean): void {
  const terms = items(selector, 'nodeSelectorTerms');
  const at = `${path}.nodeSelectorTerms`;
  if (terms.length === 0) errors.push(required(at, 'must have at least one node selector term'));
  terms.forEach((term, index) => nodeSelectorTerm(errors, term, `${at}[${index}]`, strict));
}

export function nodeSelectorTerm(errors: Errors, term: Json, path: string, strict: boolean): void {
  items(term, 'matchExpressions').forEach((expression, index) => {
    labelRequirement(errors, expression, `${path}.matchExpressions[${index}]`, strict);
  });
  items(term, 'matchFields').forEach((requirement, index) => {
    fieldRequirement(errors, requirement, `${path}.matchFields[${index}]`);
  });
}

function labelRequirement(errors: Errors, expression: Json, at: string, strict: boolean): void {
  const operator = text(expression, 'operator');
  const values = texts(expression, 'values');
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1)
      errors.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
  each(errors, qualifiedName(text(expression, 'key')), `${at}.key`, text(expression, 'key'));
  if (strict) values.forEach((value, index) => each(errors, labelValue(value), `${at}.values[${index}]`, value));
}

function fieldRequirement(errors: Errors, requirement: Json, at: string): void {
  const operator = text(requirement, 'operator');
  const values = texts(requirement, 'values');
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1)
      errors.push(
        required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
      );
  } else errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
  const key = text(requirement, 'key');
  if (key === 'metadata.name')
    values.forEach((value, index) => each(errors, dns1123Subdomain(value), `${at}.values[${index}]`, value));
  else errors.push(invalid(`${at}.key`, key, 'not a valid field selector key'));
}
