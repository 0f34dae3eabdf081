import { type CelType, DYN, list, map, optional, sameType, typeOfType } from './types.ts';

/** What type parameters stand for. (cel-go@0.26 checker/types.go, checker/mapping.go) */
export class Substitutions {
  private readonly found: Map<string, CelType>;

  constructor(found: ReadonlyMap<string, CelType> = new Map()) {
    this.found = new Map(found);
  }

  copy(): Substitutions {
    return new Substitutions(this.found);
  }

  of(type: CelType): CelType | undefined {
    return type.kind === 'parameter' ? this.found.get(type.name) : undefined;
  }

  set(type: CelType, to: CelType): void {
    if (type.kind === 'parameter') this.found.set(type.name, to);
  }
}

/** `type` with its parameters replaced; those without a meaning become `dyn` when `free` is given so. */
export function substitute(found: Substitutions, type: CelType, free: 'keep' | 'dyn'): CelType {
  const known = found.of(type);
  if (known !== undefined) return substitute(found, known, free);
  switch (type.kind) {
    case 'parameter':
      return free === 'dyn' ? DYN : type;
    case 'list':
      return list(substitute(found, type.item, free));
    case 'map':
      return map(substitute(found, type.key, free), substitute(found, type.value, free));
    case 'optional':
      return optional(substitute(found, type.value, free));
    case 'type':
      return type.of === undefined ? type : typeOfType(substitute(found, type.of, free));
    default:
      return type;
  }
}

const isAnything = (type: CelType): boolean => type.kind === 'dyn' || type.kind === 'error';

function parametersOf(type: CelType): readonly CelType[] {
  switch (type.kind) {
    case 'list':
      return [type.item];
    case 'map':
      return [type.key, type.value];
    case 'optional':
      return [type.value];
    case 'type':
      return type.of === undefined ? [] : [type.of];
    default:
      return [];
  }
}

/** Whether each of `given` may stand where `wanted` is; on success `found` knows more, else it is as before. */
export function assignable(
  found: Substitutions,
  given: readonly CelType[],
  wanted: readonly CelType[],
): Substitutions | undefined {
  if (given.length !== wanted.length) return undefined;
  const copy = found.copy();
  return given.every((type, index) => fits(copy, type, wanted[index] as CelType)) ? copy : undefined;
}

function fits(found: Substitutions, a: CelType, b: CelType): boolean {
  if (b.kind === 'parameter') {
    const { valid, known } = substitutes(found, a, b);
    if (valid) return true;
    if (known) return false;
  }
  if (a.kind === 'parameter') return substitutes(found, b, a).valid;
  if (isAnything(a) || isAnything(b)) return true;
  if (isNull(a)) return isNullable(b);
  if (isNull(b)) return isNullable(a);
  switch (a.kind) {
    case 'simple':
    case 'struct':
    case 'object':
      return sameType(a, b);
    case 'type':
      return b.kind === 'type';
    case 'list':
    case 'map':
    case 'optional': {
      if (a.kind !== b.kind) return false;
      const [mine, other] = [parametersOf(a), parametersOf(b)];
      return mine.every((type, index) => fits(found, type, other[index] as CelType));
    }
    default:
      return false;
  }
}

function isNull(type: CelType): boolean {
  return type.kind === 'simple' && type.name === 'null';
}

const VALUES = new Set(['bool', 'int', 'uint', 'double', 'string', 'bytes']);

/** Messages, times and opaque types may be null. */
function isNullable(type: CelType): boolean {
  if (type.kind === 'simple') return !VALUES.has(type.name);
  return type.kind === 'struct' || type.kind === 'object' || type.kind === 'optional';
}

function substitutes(
  found: Substitutions,
  a: CelType,
  b: CelType,
): { readonly valid: boolean; readonly known: boolean } {
  if (sameType(a, b)) return { valid: true, known: true };
  const known = found.of(b);
  if (known !== undefined) {
    if (sameType(a, known)) return { valid: true, known: true };
    if (!fits(found, a, known)) return { valid: false, known: true };
    const general = mostGeneral(a, known);
    if (isFree(found, b, general)) found.set(b, general);
    return { valid: true, known: true };
  }
  if (!isFree(found, b, a)) return { valid: false, known: false };
  found.set(b, a);
  return { valid: true, known: false };
}

/** Whether `type` does not occur in `within`. */
function isFree(found: Substitutions, type: CelType, within: CelType): boolean {
  if (sameType(type, within)) return false;
  const known = found.of(within);
  if (within.kind === 'parameter') return known === undefined || isFree(found, type, known);
  return parametersOf(within).every((part) => isFree(found, type, part));
}

export function mostGeneral(a: CelType, b: CelType): CelType {
  return isAsGeneral(a, b) ? a : b;
}

function isAsGeneral(a: CelType, b: CelType): boolean {
  if (a.kind === 'dyn' || a.kind === 'parameter') return true;
  if (b.kind === 'dyn' || b.kind === 'parameter' || a.kind !== b.kind) return false;
  if (a.kind === 'type') return true;
  const [mine, other] = [parametersOf(a), parametersOf(b)];
  if (mine.length === 0) return sameType(a, b);
  return mine.every((type, index) => isAsGeneral(type, other[index] as CelType));
}
