import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../bench/engine-process.ts';
import { fluxDefinitions } from '../../bench/kustomizations/engines.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { field, type Json } from '../../src/base/json.ts';
import { printYaml } from '../../src/engine/yaml/print.ts';
import { run } from '../golden/harness.ts';
import { commitFiles, type GitHttp, serveGit } from '../support/git-http.ts';
import { sealedSecret } from '../support/sops-fixtures.ts';
import { type AuditedCluster, startAuditedCluster, type Write } from './hand-back/audited-cluster.ts';
import { type Engine, type Storage, startFlux, startWeir } from './hand-back/engines.ts';
import * as fleet from './hand-back/fleet.ts';
import { Observer } from './hand-back/observer.ts';

/**
 * A cluster goes from Flux to Weir and back: WEIR_PEER_ETCD and WEIR_PEER_KUBE_APISERVER name the programs, and
 * WEIR_PEER_FLUX_CONTROLLERS the folder of source-controller, kustomize-controller and their definitions.
 */
const {
  WEIR_PEER_ETCD: ETCD = '',
  WEIR_PEER_KUBE_APISERVER: KUBE_APISERVER = '',
  WEIR_PEER_FLUX_CONTROLLERS: FLUX = '',
} = process.env;
const absent = ETCD === '' || KUBE_APISERVER === '' || FLUX === '';
if (absent) {
  const needs = 'WEIR_PEER_ETCD, WEIR_PEER_KUBE_APISERVER and WEIR_PEER_FLUX_CONTROLLERS';
  console.log(`the way from Flux to Weir and back did not run: ${needs} name no programs`);
}

/** Far less than the intervals: whoever waits for one is stuck. */
const PATIENCE_MS = 150_000;
/** A write that comes late is one, too. */
const SETTLE_MS = 2_000;
const LIMIT_MS = 600_000;

interface Way {
  readonly name: string;
  /** Who works between Flux and Flux: Flux itself is the control. */
  readonly between: 'weir' | 'flux';
  readonly end: 'stop' | 'kill';
  /** Of Flux, when it comes back. */
  readonly storage: 'kept' | 'empty';
  /** At which artifacts are served between. */
  readonly address: 'same' | 'other';
  /** When Flux comes back. */
  readonly git: 'same' | 'changed';
}

const WAYS: readonly Way[] = (
  [
    ['flux', 'stop', 'kept', 'same', 'same'],
    ['flux', 'stop', 'empty', 'same', 'same'],
    ['weir', 'stop', 'kept', 'same', 'same'],
    ['weir', 'stop', 'kept', 'other', 'same'],
    ['weir', 'stop', 'kept', 'same', 'changed'],
    ['weir', 'stop', 'kept', 'other', 'changed'],
    ['weir', 'stop', 'empty', 'same', 'same'],
    ['weir', 'stop', 'empty', 'other', 'same'],
    ['weir', 'stop', 'empty', 'same', 'changed'],
    ['weir', 'stop', 'empty', 'other', 'changed'],
    ['weir', 'kill', 'kept', 'same', 'same'],
    ['weir', 'kill', 'kept', 'same', 'changed'],
    ['weir', 'kill', 'empty', 'same', 'same'],
  ] as const
).map(([between, end, storage, address, git]) => {
  return { name: `${between}, ${end}, ${storage}, ${address}, ${git}`, between, end, storage, address, git };
});

describe.skipIf(absent)('from Flux to Weir and back', () => {
  let folder = '';
  let identity = '';
  let git: GitHttp;
  let cluster: AuditedCluster;
  let observer: Observer;
  let engine: Engine | undefined;
  let flux: Storage;
  const revisions = new Map<string, string>();
  const figures: object[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weir-peer-hand-back-'));
    git = await serveGit(
      join(folder, 'git'),
      0,
      () => {},
      ({ url, headers }) => url?.startsWith('/guarded.git') !== true || headers.authorization === fleet.AUTHORIZATION,
    );
    identity = await generateX25519Identity();
    const sealed = printYaml(await sealedSecret('sealed', { word: 'hush' }, [await identityToRecipient(identity)]));
    commit('open', fleet.firstFiles(sealed));
    commit('guarded', fleet.GUARDED_FILES);
    cluster = await startAuditedCluster(ETCD, KUBE_APISERVER, folder);
    await install();
    observer = new Observer(cluster.client);
    flux = { directory: join(folder, 'flux-storage'), address: `127.0.0.1:${await freePort()}` };
  }, 120_000);
  afterEach(async () => {
    await engine?.kill();
    engine = undefined;
    observer.stop();
    await cluster.stop();
    await git.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }, 60_000);
  // Seconds until all are ready, and writes other than status.
  afterAll(() => console.table(figures));

  function commit(repository: string, files: Readonly<Record<string, string>>): void {
    const hash = commitFiles(join(folder, 'git', `${repository}.git`), 'change', files);
    revisions.set(repository, `main@sha1:${hash}`);
  }

  /** Flux's own definitions, as `flux install` labels them, and the objects. */
  async function install(): Promise<void> {
    for (const definition of await fluxDefinitions(FLUX)) {
      const labels = { 'app.kubernetes.io/part-of': 'flux' };
      await create({ ...definition, metadata: { ...definition.metadata, labels } });
    }
    for (const object of fleet.objects(git.url, identity)) await create(object);
  }

  /** What exists stays; a kind that was just defined takes a moment. */
  async function create(object: KubeObject): Promise<void> {
    await observeUntil(async () => {
      const made = await cluster.client.create(object);
      return made.ok || made.error.reason === 'AlreadyExists';
    });
  }

  async function observeUntil(test: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; !(await test()); ) {
      if (Date.now() > end) throw new Error('not there in time');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  const startedFlux = (): Promise<Engine> => startFlux(FLUX, cluster, folder, flux);
  const startedWeir = (address = flux.address): Promise<Engine> =>
    startWeir(cluster, folder, { directory: join(folder, 'weir-storage'), address });
  const revisionOf = (name: string): string => revisions.get(name === 'guarded' ? 'guarded' : 'open') ?? '';
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  /** Seconds until all that can be are ready. */
  async function ready(names: readonly string[] = fleet.STEADY): Promise<number> {
    const seconds = await observer.until(() => observer.areReady(names, revisionOf), PATIENCE_MS);
    await settle();
    return Math.round(seconds * 10) / 10;
  }

  async function fetchAgain(): Promise<void> {
    const annotations = { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() };
    const asked = await cluster.client.patch(fleet.OPEN, { metadata: { annotations } }, { type: 'merge' });
    if (!asked.ok) throw new Error(asked.error.message);
  }

  async function artifact(): Promise<Json | undefined> {
    const read = await cluster.client.get(fleet.OPEN);
    return read.ok ? field(read.value.status, 'artifact') : undefined;
  }

  async function configMaps(of: string): Promise<number> {
    const labelSelector = `kustomize.toolkit.fluxcd.io/name=${of}`;
    const listed = await cluster.client.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { labelSelector });
    return listed.ok ? listed.value.items.length : Number.NaN;
  }

  test.each(WAYS)(
    '$name',
    async ({ name, between, end, storage, address, git: gitIs }) => {
      engine = await startedFlux();
      const first = await ready();
      await engine.stop();
      const left = await artifact();

      cluster.takeWrites();
      observer.begin();
      const other = address === 'same' ? flux.address : `127.0.0.1:${await freePort()}`;
      engine = await (between === 'weir' ? startedWeir(other) : startedFlux());
      const takenOver = await ready();
      const whileTaken = otherWrites(cluster.takeWrites());
      expect([...observer.complaints(), ...engine.errors], 'nobody is disturbed').toEqual([]);
      if (gitIs === 'changed') {
        commit('open', { 'base/one.yaml': fleet.configMap('base-one', 'second') });
        await fetchAgain();
        const isThere = (of: string): boolean => observer.says(of, 'True', revisionOf(of));
        await observer.until(() => fleet.STEADY.every(isThere), PATIENCE_MS);
        await settle();
        cluster.takeWrites();
      }
      await engine[end]();
      if (storage === 'empty') rmSync(flux.directory, { recursive: true });

      observer.begin();
      engine = await startedFlux();
      const back = await ready();
      const whileBack = otherWrites(cluster.takeWrites());
      figures.push({ name, first, takenOver, back, writes: whileTaken.length + whileBack.length });
      expect(whileTaken).toEqual([]);
      expect(whileBack).toEqual([]);
      // Where it has what it left, it goes on as after a restart of its own.
      const isAsLeft = storage === 'kept' && end === 'stop' && gitIs === 'same';
      const now = { complaints: observer.complaints(), artifact: await artifact() };
      expect(now).toEqual(isAsLeft ? { complaints: [], artifact: left } : now);
    },
    LIMIT_MS,
  );

  test(
    'goes on where a rollout was left in the middle',
    async () => {
      engine = await startedFlux();
      await ready();
      await engine.stop();
      engine = await startedWeir();
      commit('open', { 'infra/slow.yaml': fleet.NEVER_READY });
      await fetchAgain();
      await observer.until(() => observer.says('infra', 'Unknown', revisionOf('infra')), PATIENCE_MS);
      await engine.stop();

      observer.begin();
      engine = await startedFlux();
      await observer.until(() => observer.says('infra', 'Unknown', revisionOf('infra')), PATIENCE_MS);
      commit('open', { 'infra/slow.yaml': fleet.configMap('slow', 'no more') });
      await fetchAgain();
      expect(await ready()).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );

  test(
    'deletes with one engine what the other made, and adopts what an uninstallation left',
    async () => {
      const isGone = (name: string) => async (): Promise<boolean> =>
        !(await cluster.client.get(fleet.kustomizationRef(name))).ok && (await configMaps(name)) === 0;
      engine = await startedFlux();
      await ready();
      await engine.stop();

      await cluster.client.delete(fleet.kustomizationRef('app-1'));
      engine = await startedWeir();
      await observeUntil(isGone('app-1'));
      await engine.stop();

      await cluster.client.delete(fleet.kustomizationRef('app-2'));
      engine = await startedFlux();
      await observeUntil(isGone('app-2'));
      await cluster.client.delete(fleet.kustomizationRef('app-3'));
      await observeUntil(isGone('app-3'));
      await engine.stop();

      const uninstalled = await run('uninstall --silent --keep-namespace', { client: cluster.client });
      expect(uninstalled.code, uninstalled.output).toBe(0);
      expect(await configMaps('base')).toBe(3);
      await install();
      observer.stop();
      observer = new Observer(cluster.client);
      cluster.takeWrites();
      engine = await startedFlux();
      await ready();
      const made = otherWrites(cluster.takeWrites()).filter(({ what }) => !/^(gitrepositor|kustomization)/.test(what));
      expect(made.filter(({ what }) => !/ fleet\/app-[123]-/.test(what))).toEqual([]);
    },
    LIMIT_MS,
  );
});

/** Those of the engines, but for the status of their own objects. */
function otherWrites(writes: readonly Write[]): readonly Write[] {
  return writes.filter(({ agent, what }) => /controller$|^weir$/.test(agent) && !/^\S+\/status /.test(what));
}
