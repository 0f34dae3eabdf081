import { parentPort } from 'node:worker_threads';
import { KustomizeCache } from '../engine/kustomize/build.ts';
import { type BuildRequest, build } from './build.ts';
import { panicked } from './builder.ts';
import { diskFiles } from './disk-files.ts';

// A thread that builds: what it is told and what it answers goes through structured clones.

export interface WorkerRequest {
  readonly id: number;
  readonly directory: string;
  readonly request: BuildRequest;
}

const cache = new KustomizeCache();

parentPort?.on('message', ({ id, directory, request }: WorkerRequest) => {
  try {
    const result = build(diskFiles(directory), request, cache);
    parentPort?.postMessage({ id, result });
  } catch (cause) {
    parentPort?.postMessage({ id, result: panicked(cause) });
  }
});
