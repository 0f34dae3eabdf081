import { gitRepository } from './api/kinds/git-repository.ts';
import { kustomization } from './api/kinds/kustomization.ts';
import type { Log } from './base/log.ts';
import type { KubeClient } from './kube/client.ts';
import { InformerPool } from './kube/informer-pool.ts';
import { systemClock } from './kube/system-clock.ts';
import { servePage } from './server/http.ts';
import { liveFeed } from './server/live-feed.ts';
import { readStaticFiles } from './server/static-files.ts';

export interface PageConfig {
  readonly client: KubeClient;
  readonly port: number;
  /** Name shown in the page's head. */
  readonly cluster: string;
  /** Folder of the built page. */
  readonly files: string;
  readonly log: Log;
}

/** Serves the page on loopback. @throws when the port is taken or the page is not built. */
export async function startPage({
  client,
  port,
  cluster,
  files,
  log,
}: PageConfig): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const stopped = new AbortController();
  const pool = new InformerPool({ client, clock: systemClock, log, signal: stopped.signal });
  const feed = liveFeed({ pool, clock: systemClock, cluster, sources: [gitRepository], appliers: [kustomization] });
  const page = await servePage({ host: '127.0.0.1', port, feed, files: await readStaticFiles(files) });
  return {
    port: page.port,
    async stop() {
      stopped.abort();
      await page.stop();
    },
  };
}
