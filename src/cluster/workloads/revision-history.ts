import { equal, type Json, type JsonObject } from '../../base/json.ts';
import type { Registry } from '../registry.ts';
import { CONTROLLER_MANAGER } from './context.ts';
import { templateHash } from './hash.ts';
import { controllerReference, isControlledBy } from './owned.ts';
import { CONTROLLER_REVISIONS } from './resources.ts';
import { type Labels, type PodTemplate, plain, type Stored } from './shapes.ts';
import type { ControllerRevision } from './shapes-batch.ts';
import { deleteObject, WriteFailed, written } from './writes.ts';

/** What a StatefulSet and a DaemonSet have in common for their history. */
export type Versioned = Stored<
  { readonly template: PodTemplate; readonly revisionHistoryLimit?: number },
  { readonly collisionCount?: number } | undefined
>;

/** The revisions of `owner`, oldest first. */
export function revisionsOf(registry: Registry, owner: Versioned): readonly ControllerRevision[] {
  return registry
    .list(CONTROLLER_REVISIONS, owner.metadata.namespace)
    .filter((object) => isControlledBy(object, owner))
    .map((object) => object as unknown as ControllerRevision)
    .sort((a, b) => a.revision - b.revision || (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** The pod template that a revision holds. */
export function templateOf({ data }: ControllerRevision): PodTemplate {
  const { $patch: _, ...template } = (data['spec'] as JsonObject)['template'] as JsonObject;
  return template as unknown as PodTemplate;
}

/**
 * The revision of the template that `owner` has now, made when it is new, and moved to the front when it is an old one.
 * Source: kubernetes@1.34 pkg/controller/history and statefulset/stateful_set_control.go getStatefulSetRevisions.
 */
export async function currentRevision(
  registry: Registry,
  owner: Versioned,
  hashLabel: string,
): Promise<ControllerRevision> {
  const revisions = revisionsOf(registry, owner);
  const { template } = owner.spec;
  const data = { spec: { template: { ...(template as unknown as JsonObject), $patch: 'replace' } } };
  const next = (revisions.at(-1)?.revision ?? 0) + 1;
  const same = revisions.filter((revision) => equal(revision.data, data)).at(-1);
  if (same !== undefined) {
    if (same === revisions.at(-1)) return same;
    const moved = plain({ ...same, revision: next } as unknown as Versioned);
    return written(
      await registry.update(CONTROLLER_REVISIONS, moved, CONTROLLER_MANAGER),
    ) as unknown as ControllerRevision;
  }
  for (let collision = 0; ; collision++) {
    const hash = templateHash(data as Json, collision);
    const labels: Labels = { ...template.metadata?.labels, [hashLabel]: hash };
    const revision = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `${owner.metadata.name}-${hash}`,
        namespace: owner.metadata.namespace ?? '',
        labels,
        ...(owner.metadata.annotations === undefined ? {} : { annotations: owner.metadata.annotations }),
        ownerReferences: [controllerReference(owner)],
      },
      data,
      revision: next,
    };
    const created = await registry.create(
      CONTROLLER_REVISIONS,
      plain(revision as unknown as Versioned),
      CONTROLLER_MANAGER,
    );
    if (created.ok) return created.value as unknown as ControllerRevision;
    if (created.error.reason !== 'AlreadyExists' || collision > revisions.length) throw new WriteFailed(created.error);
  }
}

/** Deletes the oldest revisions above the limit that nothing `uses`. */
export async function truncateHistory(registry: Registry, owner: Versioned, uses: ReadonlySet<string>): Promise<void> {
  const limit = owner.spec.revisionHistoryLimit ?? 10;
  const unused = revisionsOf(registry, owner).filter(({ metadata }) => !uses.has(metadata.name));
  for (const revision of unused.slice(0, Math.max(0, unused.length - limit))) {
    await deleteObject(registry, CONTROLLER_REVISIONS, revision as unknown as Versioned);
  }
}
