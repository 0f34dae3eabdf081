import { err, ok, type Result } from '../../base/result.ts';

/** Exponents and logarithms of GF(2^8) with the generator 229, as HashiCorp's implementation (sops's) has them. */
const [EXPONENTS, LOGARITHMS] = tables();

function tables(): readonly [Uint8Array, Uint8Array] {
  const exponents = new Uint8Array(255);
  const logarithms = new Uint8Array(256);
  let power = 1;
  for (let index = 0; index < 255; index++) {
    exponents[index] = power;
    logarithms[power] = index;
    power = slowMultiply(power, 229);
  }
  return [exponents, logarithms];
}

/** Multiplies modulo x^8 + x^4 + x^3 + x + 1. */
function slowMultiply(a: number, b: number): number {
  let product = 0;
  for (let left = a, right = b; right > 0; right >>= 1) {
    if ((right & 1) === 1) product ^= left;
    left = left & 0x80 ? ((left << 1) ^ 0x11b) & 0xff : left << 1;
  }
  return product;
}

function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return EXPONENTS[((LOGARITHMS[a] as number) + (LOGARITHMS[b] as number)) % 255] as number;
}

function divide(a: number, b: number): number {
  if (a === 0) return 0;
  return EXPONENTS[((LOGARITHMS[a] as number) - (LOGARITHMS[b] as number) + 255) % 255] as number;
}

/** The secret of which `parts` are shares: each ends with the byte that says where it was cut. Source: sops@3.13 shamir/shamir.go. */
export function combine(parts: readonly Uint8Array[]): Result<Uint8Array, string> {
  const length = parts[0]?.length ?? 0;
  if (parts.length < 2) return err('less than two parts cannot be used to reconstruct the secret');
  if (length < 2) return err('parts must be at least two bytes');
  if (parts.some((part) => part.length !== length)) return err('all parts must be the same length');
  const places = parts.map((part) => part[length - 1] as number);
  if (new Set(places).size !== places.length) return err('duplicate part detected');
  const secret = new Uint8Array(length - 1);
  for (let index = 0; index < secret.length; index++) {
    let sum = 0;
    for (const [mine, part] of parts.entries()) {
      let basis = 1;
      for (const [other, place] of places.entries()) {
        if (other !== mine) basis = multiply(basis, divide(place, place ^ (places[mine] as number)));
      }
      sum ^= multiply(part[index] as number, basis);
    }
    secret[index] = sum;
  }
  return ok(secret);
}
