import type { YamlNode } from '../yaml/node.ts';
import { scalarNode } from '../yaml/node.ts';
import type { Referral } from './build-track.ts';
import { fail, wrapped } from './failure.ts';
import { applyFieldSpec } from './field-filter.ts';
import { fieldOf, getField, isNull, isString, lookup, setField, setScalar } from './node-edit.ts';
import { type Renamings, type Resource, sameRenamings } from './resource.ts';
import { effectiveNamespace, type Gvk, isSelected, NO_NAMESPACE, printId, type ResourceId } from './resource-id.ts';
import type { FieldSpec, NameReference } from './transformer-config.ts';

interface Rule {
  readonly spec: FieldSpec;
  readonly target: Gvk;
}

/**
 * Puts the new names of renamed objects wherever other objects name them (api/filters/nameref). Objects are found by the names
 * they had, through an index; kustomize goes through all of them for each reference.
 */
export function fixNameReferences(
  resources: readonly Resource[],
  references: readonly NameReference[],
  candidates: readonly Referral[] = resources,
): void {
  const byOldName = new Map<string, Referral[]>();
  for (const resource of candidates) {
    for (const name of new Set(resource.previousIds().map((id) => id.name))) {
      const list = byOldName.get(name);
      if (list === undefined) byOldName.set(name, [resource]);
      else list.push(resource);
    }
  }
  const rulesByKind = new Map<string, Rule[]>();
  for (const target of references) {
    for (const spec of target.fields) {
      const rules = rulesByKind.get(spec.kind);
      if (rules === undefined) rulesByKind.set(spec.kind, [{ spec, target }]);
      else rules.push({ spec, target });
    }
  }
  const fixer = new Fixer(candidates, byOldName);
  const anyKind = rulesByKind.get('') ?? [];
  // Where nothing was renamed, kustomize only stumbles over what RoleBindings say.
  const referrers = byOldName.size > 0 ? resources : resources.filter((one) => one.kind() === 'RoleBinding');
  for (const resource of referrers) {
    const original = resource.originalId();
    const own = original.kind === '' ? [] : (rulesByKind.get(original.kind) ?? []);
    const rules = anyKind.length === 0 ? own : inOrder(references, own, anyKind);
    fixer.fixAll(
      resource,
      rules.filter(({ spec }) => isSelected(original, spec)),
    );
  }
}

function inOrder(
  references: readonly NameReference[],
  own: readonly Rule[],
  anyKind: readonly Rule[],
): readonly Rule[] {
  const wanted = new Map<FieldSpec, Rule>([...own, ...anyKind].map((rule) => [rule.spec, rule]));
  return references.flatMap(({ fields }) => fields.flatMap((spec) => wanted.get(spec) ?? []));
}

const NAMED_FIELDS = [
  ['APIVersion', 'apiVersion'],
  ['Kind', 'kind'],
] as const;

class Fixer {
  private readonly resources: readonly Referral[];
  private readonly byOldName: ReadonlyMap<string, readonly Referral[]>;
  private readonly ids = new Map<Referral, ResourceId>();
  private readonly renamings = new Map<Referral, Renamings>();
  private readonly previousIds = new Map<Referral, readonly ResourceId[]>();

  constructor(resources: readonly Referral[], byOldName: ReadonlyMap<string, readonly Referral[]>) {
    this.resources = resources;
    this.byOldName = byOldName;
    for (const resource of resources) this.ids.set(resource, resource.id());
  }

  private idOf(resource: Referral): ResourceId {
    let found = this.ids.get(resource);
    if (found === undefined) {
      found = resource.id();
      this.ids.set(resource, found);
    }
    return found;
  }

  /** Of a resource that overlays share, each of them asks again: what its annotations say is read once. */
  private renamingsOf(resource: Referral): Renamings {
    let found = this.renamings.get(resource);
    if (found === undefined) {
      found = resource.renamings();
      this.renamings.set(resource, found);
    }
    return found;
  }

  private previousIdsOf(resource: Referral): readonly ResourceId[] {
    let found = this.previousIds.get(resource);
    if (found === undefined) {
      found = resource.previousIds();
      this.previousIds.set(resource, found);
    }
    return found;
  }

  fixAll(referrer: Resource, rules: readonly Rule[]): void {
    if (rules.length === 0) return;
    const id = this.idOf(referrer);
    for (const [shown, field] of NAMED_FIELDS) {
      const node = fieldOf(referrer.node, field);
      // Kustomize reads it twice, once as nothing and once as its text (filters/nameref, confirmNodeMatchesReferrer).
      if (node !== undefined && isNull(node) && node.value !== '') {
        fail(`node-referrerOriginal '${shown}' mismatch '' != '${node.value}'`);
      }
    }
    if (!id.clusterScoped) subjectNamespaces(referrer, id);
    if (this.byOldName.size > 0) for (const rule of rules) this.fix(referrer, rule);
  }

  private fix(referrer: Resource, rule: Rule): void {
    wrapped(`updating name reference in '${rule.spec.path}' field of '${printId(this.idOf(referrer))}'`, () =>
      applyFieldSpec(referrer, rule.spec, { set: (node) => this.set(node, referrer, rule) }),
    );
  }

  private set(node: YamlNode, referrer: Resource, rule: Rule): void {
    if (isNull(node)) return;
    switch (node.kind) {
      case 'scalar':
        this.setText(node, referrer, rule);
        return;
      case 'map':
        this.setMapping(node, referrer, rule);
        return;
      case 'seq':
        for (const item of node.content) {
          if (isNull(item)) continue;
          if (item.kind === 'scalar') this.setText(item, referrer, rule);
          else if (item.kind === 'map') this.setMapping(item, referrer, rule);
          else fail('node is expected to be either a string or a map of string');
        }
        return;
      default:
        fail('node must be a scalar, sequence or map');
    }
  }

  private setText(node: YamlNode, referrer: Resource, rule: Rule): void {
    const referral = this.select(node.value, () => true, referrer, rule, false);
    if (referral === undefined || referral.name() === node.value) return;
    setScalar(node, scalarNode(referral.name()));
  }

  /** A reference with a name and perhaps a namespace. */
  private setMapping(node: YamlNode, referrer: Resource, rule: Rule): void {
    const nameNode = getField(node, 'name');
    if (nameNode === undefined) fail("path config error; no 'name' field in node");
    const namespace = fieldOf(node, 'namespace')?.value;
    const name = nameNode.value;
    const referral = this.select(name, this.inNamespace(namespace, referrer), referrer, rule, true);
    if (referral === undefined) return;
    const target = referral.namespace();
    if (referral.name() === name && target === '') return;
    setField(node, 'name', scalarNode(referral.name()));
    if (target !== '') setField(node, 'namespace', scalarNode(target));
  }

  /** Candidates for a namespace: those that began in it, or, when none did, those that are in it. */
  private inNamespace(namespace: string | undefined, referrer: Resource): (candidate: Referral) => boolean {
    if (namespace === undefined) return () => true;
    if (namespace === NO_NAMESPACE) return () => false;
    const reachable = this.reachableFrom(referrer);
    const began = (candidate: Referral): boolean => effectiveNamespace(candidate.originalId()) === namespace;
    if (this.beganIn(namespace).some(reachable)) return began;
    return (candidate) => effectiveNamespace(this.idOf(candidate)) === namespace;
  }

  private readonly byFirstNamespace = new Map<string, Referral[]>();

  private beganIn(namespace: string): readonly Referral[] {
    if (this.byFirstNamespace.size === 0) {
      for (const resource of this.resources) {
        const first = effectiveNamespace(resource.originalId());
        const list = this.byFirstNamespace.get(first);
        if (list === undefined) this.byFirstNamespace.set(first, [resource]);
        else list.push(resource);
      }
    }
    return this.byFirstNamespace.get(namespace) ?? [];
  }

  /** Which objects an object may refer to: its namespace's, cluster-scoped ones, and a RoleBinding's subjects. */
  private reachableFrom(referrer: Resource): (candidate: Referral) => boolean {
    const id = this.idOf(referrer);
    if (id.clusterScoped) return () => true;
    const namespace = effectiveNamespace(id);
    const subjects = subjectNamespaces(referrer, id);
    return (candidate) => {
      const other = this.idOf(candidate);
      return other.clusterScoped || effectiveNamespace(other) === namespace || subjects.has(candidate.namespace());
    };
  }

  private select(
    name: string,
    inNamespace: (candidate: Referral) => boolean,
    referrer: Resource,
    rule: Rule,
    withNamespace: boolean,
  ): Referral | undefined {
    const named = this.byOldName.get(name);
    if (named === undefined) return undefined;
    const reachable = this.reachableFrom(referrer);
    const { target } = rule;
    let found = named.filter(
      (candidate) =>
        reachable(candidate) &&
        inNamespace(candidate) &&
        this.previousIdsOf(candidate).some((id) => isSelected(id, target)),
    );
    const role = rule.spec.path.endsWith('roleRef/name') ? roleOf(referrer) : undefined;
    if (role !== undefined)
      found = found.filter((candidate) => this.previousIdsOf(candidate).some((id) => isSelected(id, role)));
    const id = this.idOf(referrer);
    if (!id.clusterScoped) {
      const namespace = effectiveNamespace(id);
      found = found.filter((candidate) => {
        const other = this.idOf(candidate);
        return other.clusterScoped || candidate.kind() === 'ServiceAccount' || effectiveNamespace(other) === namespace;
      });
    }
    if (found.length === 1) return found[0];
    const renamings = this.renamingsOf(referrer);
    found = found.filter((candidate) => sameRenamings(this.renamingsOf(candidate), renamings, true));
    if (found.length > 1) {
      found = found.filter((candidate) => sameRenamings(this.renamingsOf(candidate), renamings, false));
    }
    if (found.length <= 1) return found[0];
    const [first] = found as [Referral, ...Referral[]];
    const same = (one: Referral): boolean =>
      one.name() === first.name() && (!withNamespace || one.namespace() === first.namespace());
    if (found.every(same)) return first;
    return fail(
      `found multiple possible referrals: ${found.map((one) => printId(one.id())).join(', ')}\n${details(referrer, found)}`,
    );
  }
}

function details(referrer: Resource, found: readonly Referral[]): string {
  const shown = found.map((one, index) => `--- possible referral ${index}:\n${one.toYaml()}\n`).join('');
  return `\n**** Too many possible referral targets to referrer:\n${referrer.toYaml()}\n${shown}`;
}

function roleOf(referrer: Resource): Gvk | undefined {
  const group = lookup(referrer.node, ['roleRef', 'apiGroup']);
  const kind = lookup(referrer.node, ['roleRef', 'kind']);
  return group === undefined || kind === undefined ? undefined : { group: group.value, version: '', kind: kind.value };
}

/** Namespaces of the service accounts that a RoleBinding is for. */
function subjectNamespaces(referrer: Resource, id: ResourceId): ReadonlySet<string> {
  const found = new Set<string>();
  if (id.kind !== 'RoleBinding') return found;
  const subjects = fieldOf(referrer.node, 'subjects');
  if (subjects?.kind !== 'seq') return found;
  for (const subject of subjects.content) {
    const namespace = fieldOf(subject, 'namespace');
    if (namespace === undefined || fieldOf(subject, 'kind')?.value !== 'ServiceAccount') continue;
    if (!isString(namespace)) fail(`Invalid Input: namespace is blank for resource "${printId(id)}"\n`);
    found.add(namespace.value);
  }
  return found;
}
