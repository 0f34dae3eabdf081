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
  build(diskFiles(directory), request, cache).then(
    (result) => parentPort?.postMessage({ id, result }),
    (cause: unknown) => parentPort?.postMessage({ id, result: panicked(cause) }),
  );
});
