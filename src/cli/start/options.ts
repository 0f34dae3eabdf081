/** What `weir start` was told. */
export interface StartOptions {
  readonly dataDirectory: string;
  readonly pagePort: number;
  readonly gitPort: number;
  readonly apiPort: number;
  /** The checkout's or the package's folder: examples/ and dist/web are in it. */
  readonly packageDirectory: string;
}
