import { type KubeObject, refOf } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { equal, field } from '../../base/json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed, refused } from '../command.ts';
import { isDnsLabel } from '../global-flags.ts';
import { exportObject, upsert } from './apply.ts';
import { isQualifiedName, metadataOf, parseLabels } from './labels.ts';

const TENANT_LABEL = 'toolkit.fluxcd.io/tenant';
const RBAC = 'rbac.authorization.k8s.io';

interface Tenant {
  readonly name: string;
  readonly account: string;
  readonly clusterRole: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Namespace, account and role binding of a tenant in one namespace. Source: fluxcd/flux2@v2 cmd/flux/create_tenant.go. */
function tenantObjects(tenant: Tenant, namespace: string, skipNamespace: boolean): readonly KubeObject[] {
  const { name, account, clusterRole, labels } = tenant;
  const objects: KubeObject[] = [];
  if (!skipNamespace) {
    objects.push({ apiVersion: 'v1', kind: 'Namespace', metadata: metadataOf(namespace, undefined, labels) });
  }
  objects.push({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadataOf(account, namespace, labels) });
  const binding = {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata: metadataOf(`${name}-reconciler`, namespace, labels),
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: clusterRole },
    subjects: [
      { apiGroup: RBAC, kind: 'User', name: `gotk:${namespace}:reconciler` },
      { kind: 'ServiceAccount', name: account, namespace },
    ],
  };
  return [...objects, binding as KubeObject];
}

const WORDS: Readonly<Record<string, string>> = {
  Namespace: 'namespace',
  ServiceAccount: 'service account',
  RoleBinding: 'role binding',
};

/** A binding's role cannot be changed: a binding to another role is made anew. */
async function bind(client: KubeClient, object: KubeObject): Promise<CliResult<unknown>> {
  const { roleRef = null, subjects = null } = object as unknown as {
    readonly roleRef?: Json;
    readonly subjects?: Json;
  };
  const existing = await client.get(refOf(object));
  if (existing.ok && !equal(field(existing.value as unknown as Json, 'roleRef'), roleRef)) {
    const deleted = await client.delete(refOf(object));
    if (!deleted.ok) return refused(deleted.error);
  }
  return await upsert(client, object, { roleRef, subjects });
}

async function run(context: CliContext): Promise<CliResult> {
  const { flags, progress } = context;
  const [name] = context.args;
  if (name === undefined) return failed('name is required');
  if (!isQualifiedName(name)) return failed(`invalid tenant name '${name}'`);
  const clusterRole = flags.string('cluster-role');
  if (clusterRole === '') return failed('cluster-role is required');
  const namespaces = flags.list('with-namespace');
  if (namespaces.length === 0) return failed('with-namespace is required');
  const invalid = namespaces.find((namespace) => !isDnsLabel(namespace));
  if (invalid !== undefined) return failed(`invalid namespace '${invalid}'`);
  const labels = parseLabels(context);
  if (!labels.ok) return labels;
  if (!flags.changed('cluster-role')) {
    progress.warning(
      `tenant ${name} gets the cluster role cluster-admin in ${namespaces.join(', ')}: it can do anything there; --cluster-role gives it less`,
    );
  }
  const tenant: Tenant = {
    name,
    account: flags.string('with-service-account') || name,
    clusterRole,
    labels: { ...labels.value, [TENANT_LABEL]: name },
  };
  const skip = flags.bool('skip-namespace');
  const objects = namespaces.flatMap((namespace) => tenantObjects(tenant, namespace, skip));
  if (flags.bool('export')) {
    for (const object of objects) await exportObject(context, object);
    return done;
  }
  const client = await context.client();
  if (!client.ok) return client;
  for (const object of objects) {
    progress.action(`applying ${WORDS[object.kind]} ${object.metadata.name}`);
    const applied =
      object.kind === 'RoleBinding' ? await bind(client.value, object) : await upsert(client.value, object, {});
    if (!applied.ok) return applied;
  }
  progress.success('tenant setup completed');
  return done;
}

export const createTenantCommand: Command = {
  use: 'tenant [name]',
  short: 'Create or update a tenant',
  long: `The create tenant command generates namespaces, service accounts and role bindings to limit the
reconcilers scope to the tenant namespaces.`,
  example: `  # Create a tenant with access to a namespace
  weir create tenant dev-team \\
    --with-namespace=frontend \\
    --label=environment=dev

  # Generate tenant namespaces and role bindings in YAML format
  weir create tenant dev-team \\
    --with-namespace=frontend \\
    --with-namespace=backend \\
    --export > dev-team.yaml`,
  flags: [
    { name: 'with-namespace', type: 'strings', usage: 'namespace belonging to this tenant' },
    {
      name: 'cluster-role',
      type: 'string',
      default: 'cluster-admin',
      usage: 'cluster role of the tenant role binding',
    },
    { name: 'with-service-account', type: 'string', usage: 'service account belonging to this tenant' },
    {
      name: 'skip-namespace',
      type: 'bool',
      usage: 'skip namespace creation (namespace must exist already)',
    },
  ],
  run,
};
