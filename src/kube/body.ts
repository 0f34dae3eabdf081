/** Bytes of a whole answer; a list page of 500 objects of the largest size etcd takes (1.5 MiB) is far above what is ever met. */
export const MAX_BODY_BYTES: number = 256 * 1024 * 1024;
/** Bytes of one watch event: an object of the largest size, with room for managed fields and escapes. */
export const MAX_EVENT_BYTES: number = 16 * 1024 * 1024;

/** Reads a body to its end as UTF-8. Throws RangeError above `maxBytes`. */
export async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number = MAX_BODY_BYTES): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new RangeError(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

/** Lines of a stream without their line feed; empty ones are left out. Throws RangeError for a line above `maxBytes`. */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number = MAX_EVENT_BYTES,
): AsyncGenerator<string> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      pending.push(chunk.subarray(start, end));
      start = end + 1;
      const line = Buffer.concat(pending).toString('utf8');
      pending = [];
      size = 0;
      if (line.trim() !== '') yield line;
    }
    if (start < chunk.length) {
      pending.push(chunk.subarray(start));
      size += chunk.length - start;
      if (size > maxBytes) throw new RangeError(`a line of the stream is larger than ${maxBytes} bytes`);
    }
  }
  const rest = Buffer.concat(pending).toString('utf8');
  if (rest.trim() !== '') yield rest;
}
