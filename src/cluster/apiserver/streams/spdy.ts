import type { Deflate, Inflate } from 'node:zlib';
import { constants, createDeflate, createInflate } from 'node:zlib';
import { ByteQueue } from './byte-queue.ts';
import { SPDY_DICTIONARY } from './spdy-dictionary.ts';

/**
 * The server's side of SPDY/3.1, as far as Kubernetes' clients use it (moby/spdystream: no flow control, no priorities).
 * Source: draft-mbelshe-httpbis-spdy-00.
 */

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const GOAWAY = 7;
const FIN = 0x01;
const VERSION = 3;
const HEADER_BYTES = 8;
/** Data and header frames of real clients are far smaller; the format would allow 16 MiB. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const MAX_STREAMS = 1000;

export interface SpdyStream {
  readonly id: number;
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the client; ends with its FIN, or with the connection. */
  readonly input: AsyncIterable<Uint8Array>;
  write(chunk: Uint8Array): void;
  /** Ends our side. */
  end(): void;
  /** Drops the stream. */
  reset(): void;
}

export class SpdyConnection {
  readonly #send: (bytes: Uint8Array) => void;
  readonly #accept: (stream: SpdyStream) => void;
  readonly #inputs = new Map<number, ByteQueue>();
  readonly #inflate: Inflate = createInflate({ dictionary: SPDY_DICTIONARY });
  readonly #deflate: Deflate = createDeflate({ dictionary: SPDY_DICTIONARY });
  #inflated: Buffer[] = [];
  #deflated: Buffer[] = [];
  #buffer: Buffer = Buffer.alloc(0);
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(send: (bytes: Uint8Array) => void, accept: (stream: SpdyStream) => void) {
    this.#send = send;
    this.#accept = accept;
    this.#inflate.on('data', (chunk: Buffer) => this.#inflated.push(chunk));
    this.#deflate.on('data', (chunk: Buffer) => this.#deflated.push(chunk));
    this.#inflate.on('error', () => this.close());
  }

  /** Takes bytes from the client; resolves when the frames they complete are handled. */
  receive(bytes: Uint8Array): Promise<void> {
    this.#work = this.#work.then(() => this.#read(bytes));
    return this.#work;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const input of this.#inputs.values()) input.end();
    this.#inputs.clear();
    this.#inflate.close();
    this.#deflate.close();
  }

  async #read(bytes: Uint8Array): Promise<void> {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    while (!this.#closed && this.#buffer.length >= HEADER_BYTES) {
      const length = this.#buffer.readUIntBE(5, 3);
      if (length > MAX_FRAME_BYTES) {
        this.close();
        return;
      }
      if (this.#buffer.length < HEADER_BYTES + length) return;
      const header = this.#buffer.subarray(0, HEADER_BYTES);
      const payload = this.#buffer.subarray(HEADER_BYTES, HEADER_BYTES + length);
      this.#buffer = this.#buffer.subarray(HEADER_BYTES + length);
      if ((header[0] as number) & 0x80) await this.#control(header.readUInt16BE(2), header[4] as number, payload);
      else this.#data(header.readUInt32BE(0), header[4] as number, payload);
    }
  }

  async #control(type: number, flags: number, payload: Buffer): Promise<void> {
    switch (type) {
      case SYN_STREAM:
        await this.#open(flags, payload);
        break;
      case RST_STREAM: {
        const id = payload.readUInt32BE(0);
        this.#inputs.get(id)?.end();
        this.#inputs.delete(id);
        break;
      }
      case PING:
        this.#control3(PING, 0, payload);
        break;
      case GOAWAY:
      default:
        // Settings, window updates and headers change nothing here.
        break;
    }
  }

  async #open(flags: number, payload: Buffer): Promise<void> {
    const id = payload.readUInt32BE(0) & 0x7fffffff;
    const headers = parseHeaders(await this.#decompress(payload.subarray(10)));
    if (this.#inputs.size >= MAX_STREAMS) {
      this.#reset(id);
      return;
    }
    const input = new ByteQueue();
    this.#inputs.set(id, input);
    if (flags & FIN) input.end();
    const reply = Buffer.alloc(4);
    reply.writeUInt32BE(id);
    this.#control3(SYN_REPLY, 0, Buffer.concat([reply, await this.#compress(printHeaders(new Map()))]));
    let ended = false;
    this.#accept({
      id,
      headers,
      input,
      write: (chunk) => {
        if (!ended && !this.#closed) this.#sendData(id, 0, chunk);
      },
      end: () => {
        if (!ended && !this.#closed) this.#sendData(id, FIN, new Uint8Array());
        ended = true;
      },
      reset: () => {
        ended = true;
        input.end();
        this.#reset(id);
      },
    });
  }

  #data(id: number, flags: number, payload: Buffer): void {
    const input = this.#inputs.get(id & 0x7fffffff);
    if (input === undefined) return;
    input.push(Buffer.from(payload));
    if (flags & FIN) {
      input.end();
      this.#inputs.delete(id & 0x7fffffff);
    }
  }

  #reset(id: number): void {
    if (this.#closed) return;
    this.#inputs.delete(id);
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(id, 0);
    payload.writeUInt32BE(5, 4);
    this.#control3(RST_STREAM, 0, payload);
  }

  #sendData(id: number, flags: number, chunk: Uint8Array): void {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(id, 0);
    header.writeUInt32BE(((flags << 24) | chunk.length) >>> 0, 4);
    this.#send(Buffer.concat([header, chunk]));
  }

  #control3(type: number, flags: number, payload: Uint8Array): void {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt16BE(0x8000 | VERSION, 0);
    header.writeUInt16BE(type, 2);
    header.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
    if (!this.#closed) this.#send(Buffer.concat([header, payload]));
  }

  /** Both directions are one zlib stream each for the whole connection. */
  #decompress(block: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#inflated = [];
      this.#inflate.write(Buffer.from(block), (error) => {
        if (error) reject(error);
        else resolve(Buffer.concat(this.#inflated));
      });
    });
  }

  #compress(block: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#deflated = [];
      this.#deflate.write(block);
      this.#deflate.flush(constants.Z_SYNC_FLUSH, () => resolve(Buffer.concat(this.#deflated)));
    });
  }
}

function parseHeaders(block: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  let offset = 4;
  const text = (): string => {
    const length = block.readUInt32BE(offset);
    const value = block.toString('utf8', offset + 4, offset + 4 + length);
    offset += 4 + length;
    return value;
  };
  for (let left = block.readUInt32BE(0); left > 0; left--) {
    const name = text().toLowerCase();
    headers.set(name, text());
  }
  return headers;
}

function printHeaders(headers: ReadonlyMap<string, string>): Buffer {
  const parts: Buffer[] = [];
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  parts.push(number(headers.size));
  for (const [name, value] of headers) {
    const [nameBytes, valueBytes] = [Buffer.from(name), Buffer.from(value)];
    parts.push(number(nameBytes.length), nameBytes, number(valueBytes.length), valueBytes);
  }
  return Buffer.concat(parts);
}
