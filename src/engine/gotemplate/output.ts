import { canonical } from './go-string.ts';

/** Pieces that are joined at once: adding each to one string would keep a tree of as many nodes in memory. */
const JOINED = 4096;

/** Collects output. */
export class Output {
  #joined = '';
  #pieces: string[] = [];

  write(text: string): void {
    this.#pieces.push(text);
    if (this.#pieces.length >= JOINED) this.#join();
  }

  text(): string {
    this.#join();
    return canonical(this.#joined);
  }

  #join(): void {
    this.#joined += this.#pieces.join('');
    this.#pieces = [];
  }
}
