import type { JsonObject } from '../../../base/json.ts';
import type { Errors } from './common.ts';

export function customResourceDefinition(_errors: Errors, _value: JsonObject, _old: JsonObject | undefined): void {}
