import { GoError, type Value } from './value.ts';

/** The variables of the templates that are being executed, innermost last. */
export class Scope {
  readonly names: string[] = [];
  readonly values: Value[] = [];
  /** Whether the value sits in an interface, which messages then name. */
  readonly inInterface: boolean[] = [];
  /** Where the variables of the current template begin; it sees no others. */
  base = 0;

  push(name: string, value: Value): void {
    this.names.push(name);
    this.values.push(value);
    this.inInterface.push(false);
  }

  popTo(mark: number): void {
    if (this.names.length === mark) return;
    this.names.length = mark;
    this.values.length = mark;
    this.inInterface.length = mark;
  }

  /** @throws GoError when there is no such variable. */
  indexOf(name: string): number {
    for (let index = this.names.length - 1; index >= this.base; index--) if (this.names[index] === name) return index;
    throw new GoError(`undefined variable: ${name}`);
  }

  assign(name: string, value: Value, inInterface: boolean): void {
    this.set(this.indexOf(name), value, inInterface);
  }

  set(index: number, value: Value, inInterface: boolean): void {
    this.values[index] = value;
    this.inInterface[index] = inInterface;
  }
}
