import type { KubeObject } from '../../../api/object.ts';
import type { Clock } from '../../../base/clock.ts';
import type { PodProgram, PodPrograms } from '../../pod-program.ts';
import type { Registry } from '../../registry.ts';
import { PODS } from '../resources.ts';
import { type Pod, shaped } from '../shapes.ts';
import { SimulatedProgram, statusOf } from './simulated-program.ts';

/** Runs real code behind some pods (the engine behind its own pods); undefined for a pod that stays simulated. */
export type ProgramFor = (pod: KubeObject, container: string) => PodProgram | undefined;

/** The programs of the pods that exist, made when first reached and stopped with their pod. */
export class Programs implements PodPrograms {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #programFor: ProgramFor;
  readonly #programs = new Map<string, Map<string, PodProgram>>();
  readonly #unwatch: () => void;

  constructor(registry: Registry, clock: Clock, programFor: ProgramFor) {
    this.#registry = registry;
    this.#clock = clock;
    this.#programFor = programFor;
    this.#unwatch = registry.watch(PODS, ({ type, object }) => {
      const programs = this.#programs.get(object.metadata.uid ?? '');
      if (programs === undefined) return;
      if (type === 'DELETED') {
        this.#programs.delete(object.metadata.uid ?? '');
        for (const program of programs.values()) void program.stop();
        return;
      }
      for (const program of programs.values()) if (program instanceof SimulatedProgram) program.refresh();
    });
  }

  of(namespace: string, name: string, container?: string): PodProgram | undefined {
    const stored = this.#registry.get(PODS, namespace, name);
    if (stored === undefined) return undefined;
    const pod = shaped<Pod>(stored);
    const chosen = container ?? pod.spec.containers[0]?.name ?? '';
    const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    if (!all.some((one) => one.name === chosen)) return undefined;
    const uid = pod.metadata.uid ?? '';
    const programs = this.#programs.get(uid) ?? new Map<string, PodProgram>();
    const known = programs.get(chosen);
    if (known !== undefined) return known;
    const status = statusOf(pod, chosen);
    const hasRun =
      status !== undefined &&
      (status.state.running ?? status.state.terminated ?? status.lastState.terminated) !== undefined;
    if (!hasRun) return undefined;
    const program =
      this.#programFor(stored, chosen) ??
      new SimulatedProgram(
        () => this.#current(namespace, name, uid),
        chosen,
        () => this.#clock.now(),
      );
    programs.set(chosen, program);
    this.#programs.set(uid, programs);
    return program;
  }

  #current(namespace: string, name: string, uid: string): Pod | undefined {
    const stored = this.#registry.get(PODS, namespace, name);
    return stored?.metadata.uid === uid ? shaped<Pod>(stored) : undefined;
  }

  stop(): void {
    this.#unwatch();
    for (const programs of this.#programs.values()) for (const program of programs.values()) void program.stop();
    this.#programs.clear();
  }
}
