/** Two-way byte stream: what a program inside a pod reads from and writes to one connection. */
export interface ByteStream {
  /** Bytes from the program; ends when the program closes its side. */
  readonly output: AsyncIterable<Uint8Array>;
  write(chunk: Uint8Array): void | Promise<void>;
  /** No more bytes come from the client. */
  end(): void;
  /** Drops the connection. */
  destroy(): void;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly sinceMs?: number;
  readonly limitBytes?: number;
  /** Aborting ends a followed log. */
  readonly signal?: AbortSignal;
}

export interface ExecStreams {
  readonly stdin: AsyncIterable<Uint8Array>;
  stdout(chunk: Uint8Array): void;
  stderr(chunk: Uint8Array): void;
  readonly tty: boolean;
  readonly signal: AbortSignal;
}

/** The program that runs in a container of a pod, as far as the API server must reach it. */
export interface PodProgram {
  /** Log lines without their newline; with `timestamps` each begins with an RFC 3339 time and a space. */
  logs(options: LogOptions): AsyncIterable<string>;
  /** Opens a connection to `port`; undefined when nothing listens there. */
  connect(port: number): ByteStream | undefined;
  /** Runs a command and resolves to its exit code; absent when the program cannot. */
  exec?(command: readonly string[], streams: ExecStreams): Promise<number>;
  stop(): Promise<void>;
}

export interface PodPrograms {
  /** The program of a container; of the pod's first container when `container` is undefined. */
  of(namespace: string, pod: string, container?: string): PodProgram | undefined;
}
