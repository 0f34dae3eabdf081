import { constants, createDeflate } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SpdyConnection, type SpdyStream } from './spdy.ts';
import { SPDY_DICTIONARY } from './spdy-dictionary.ts';

/** What a client sends to open stream `id` with these headers. */
async function synStream(id: number, headers: Readonly<Record<string, string>>): Promise<Buffer> {
  const parts: Buffer[] = [];
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  parts.push(number(Object.keys(headers).length));
  for (const text of Object.entries(headers).flat()) parts.push(number(Buffer.byteLength(text)), Buffer.from(text));
  const deflate = createDeflate({ dictionary: SPDY_DICTIONARY });
  const chunks: Buffer[] = [];
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk));
  deflate.write(Buffer.concat(parts));
  await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
  const payload = Buffer.concat([number(id), number(0), Buffer.alloc(2), ...chunks]);
  const header = Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 0]);
  header.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([header, payload]);
}

function data(id: number, flags: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(id);
  header[4] = flags;
  header.writeUIntBE(Buffer.byteLength(text), 5, 3);
  return Buffer.concat([header, Buffer.from(text)]);
}

describe('a SPDY connection', () => {
  it('has the dictionary of the specification', () => {
    let [a, b] = [1, 0];
    for (const byte of SPDY_DICTIONARY) {
      a = (a + byte) % 65521;
      b = (b + a) % 65521;
    }
    expect((b * 65536 + a).toString(16)).toBe('e3c6a7c2');
  });

  it('opens streams, whatever the pieces their frames come in, and carries bytes both ways', async () => {
    const sent: Buffer[] = [];
    const streams: SpdyStream[] = [];
    const connection = new SpdyConnection(
      (bytes) => sent.push(Buffer.from(bytes)),
      (stream) => streams.push(stream),
    );
    const bytes = Buffer.concat([
      await synStream(1, { streamtype: 'data', port: '80' }),
      data(1, 0, 'he'),
      data(1, 1, 'llo'),
    ]);
    for (const byte of bytes) await connection.receive(Buffer.from([byte]));
    expect(streams[0]?.headers.get('port')).toBe('80');
    const received: Buffer[] = [];
    for await (const chunk of (streams[0] as SpdyStream).input) received.push(Buffer.from(chunk));
    expect(Buffer.concat(received).toString()).toBe('hello');
    streams[0]?.write(Buffer.from('hi'));
    streams[0]?.end();
    expect(sent[0]?.readUInt16BE(2)).toBe(2);
    expect(sent.at(-2)?.subarray(8).toString()).toBe('hi');
    expect(sent.at(-1)?.[4]).toBe(1);
    connection.close();
  });

  it('answers a ping with the same number', async () => {
    const sent: Buffer[] = [];
    const connection = new SpdyConnection(
      (bytes) => sent.push(Buffer.from(bytes)),
      () => undefined,
    );
    const ping = Buffer.from([0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 9]);
    await connection.receive(ping);
    expect(sent[0]).toEqual(ping);
    connection.close();
  });
});
