import Type from 'typebox';
import { defineKind, type SpecOf } from '../kind.ts';
import type { FluxObject } from '../object.ts';
import { DURATION, flag, int64, localRef, readyColumns, reconciled, text, textMap, time } from './fields.ts';

/** Selects objects by the Kustomize rules; every given part must match. */
function selector(description: string) {
  return Type.Object(
    {
      annotationSelector: Type.Optional(text('Annotations the object must have, as a label selector.')),
      group: Type.Optional(text('API group of the object, as a regular expression.')),
      kind: Type.Optional(text('Kind of the object, as a regular expression.')),
      labelSelector: Type.Optional(text('Labels the object must have, as a label selector.')),
      name: Type.Optional(text('Name of the object, as a regular expression.')),
      namespace: Type.Optional(text('Namespace of the object, as a regular expression.')),
      version: Type.Optional(text('API version of the object without its group, as a regular expression.')),
    },
    { description },
  );
}

const spec = Type.Object(
  {
    buildMetadata: Type.Optional(
      Type.Array(
        Type.Enum(['originAnnotations', 'transformerAnnotations'], {
          description: 'Which build details to note on each object.',
        }),
        { description: 'Annotations that tell where each object comes from and what changed it.' },
      ),
    ),
    commonMetadata: Type.Optional(
      Type.Object(
        {
          annotations: Type.Optional(textMap('Annotations to add; they replace ones of the same key.')),
          labels: Type.Optional(textMap('Labels to add; they replace ones of the same key.')),
        },
        { description: 'Labels and annotations that every applied object gets.' },
      ),
    ),
    components: Type.Optional(
      Type.Array(Type.String(), { description: 'Paths of Kustomize components, relative to spec.path.' }),
    ),
    decryption: Type.Optional(
      Type.Object(
        {
          provider: Type.Enum(['sops'], { description: 'Tool that the files were encrypted with.' }),
          secretRef: Type.Optional(localRef('Secret with the private keys.')),
          serviceAccountName: Type.Optional(
            text(
              'Service account to authenticate as with a key management service; the one of the controller by default.',
            ),
          ),
        },
        { description: 'How to decrypt encrypted files of the artifact.' },
      ),
    ),
    deletionPolicy: Type.Optional(
      Type.Enum(['MirrorPrune', 'Delete', 'WaitForTermination', 'Orphan'], {
        description:
          'What happens to the applied objects when this object is deleted: as spec.prune says, deleted, deleted and waited for, or kept.',
      }),
    ),
    dependsOn: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: text('Name of the dependency.'),
            namespace: Type.Optional(text('Namespace of the dependency; the one of this object by default.')),
            kind: Type.Optional(
              text("Kind of the dependency; Kustomization by default. Weir's extension: Flux knows its own kind only."),
            ),
            apiVersion: Type.Optional(
              text(
                "API version of the dependency; needed for kinds other than Kustomization and HelmRelease. Weir's extension.",
              ),
            ),
            readyExpr: Type.Optional(
              text(
                'CEL expression over self and dep that says whether the dependency is met, instead of its Ready condition.',
              ),
            ),
          },
          { description: 'An object that must be ready first.' },
        ),
        { description: 'Objects that must be ready before this one is applied.' },
      ),
    ),
    force: Type.Optional(
      flag('Delete and create anew an object whose change the API server refuses because a field is immutable.', {
        default: false,
      }),
    ),
    healthCheckExprs: Type.Optional(
      Type.Array(
        Type.Object(
          {
            apiVersion: text('API version of the objects that the expressions judge.'),
            current: text('CEL expression that is true for an object that is healthy.'),
            failed: Type.Optional(text('CEL expression that is true for an object that has failed.')),
            inProgress: Type.Optional(text('CEL expression that is true for an object that is still on its way.')),
            kind: Type.Optional(text('Kind of the objects that the expressions judge.')),
          },
          { description: 'How to judge the health of one kind.' },
        ),
        { description: 'CEL expressions that judge the health of kinds without the usual status.' },
      ),
    ),
    healthChecks: Type.Optional(
      Type.Array(
        Type.Object(
          {
            apiVersion: Type.Optional(text('API version of the object; any of the group by default.')),
            kind: text('Kind of the object.'),
            name: text('Name of the object.'),
            namespace: Type.Optional(text('Namespace of the object.')),
          },
          { description: 'An object whose health counts.' },
        ),
        { description: 'Objects that must be healthy for this Kustomization to be ready.' },
      ),
    ),
    ignore: Type.Optional(
      Type.Array(
        Type.Object(
          {
            paths: Type.Array(Type.String(), { description: 'JSON pointers of the fields to leave alone.' }),
            target: Type.Optional(selector('Objects the rule is for; all of them by default.')),
          },
          { description: 'Fields that are neither compared nor corrected.' },
        ),
        { description: 'Fields of applied objects whose drift is left alone.' },
      ),
    ),
    ignoreMissingComponents: Type.Optional(flag('Skip components whose folder does not exist, instead of failing.')),
    images: Type.Optional(
      Type.Array(
        Type.Object(
          {
            digest: Type.Optional(text('Digest to put in place of the tag; newTag is then ignored.')),
            name: text('Image name to look for, without a tag.'),
            newName: Type.Optional(text('Name to put in its place.')),
            newTag: Type.Optional(text('Tag to put in place of the present one.')),
          },
          { description: 'A new name, tag or digest for one image.' },
        ),
        { description: 'Images to replace by name, tag or digest, without a patch.' },
      ),
    ),
    interval: text('How often to build and apply even without a new revision, as a Go duration such as 10m.', {
      pattern: DURATION,
    }),
    kubeConfig: Type.Optional(
      Type.Object(
        {
          configMapRef: Type.Optional(
            localRef('ConfigMap that says how to authenticate with a cluster of a cloud provider.'),
          ),
          secretRef: Type.Optional(
            Type.Object(
              {
                key: Type.Optional(text('Key of the Secret; value or value.yaml by default.')),
                name: text('Name of the Secret.'),
              },
              { description: 'Secret that holds a kubeconfig file.' },
            ),
          ),
        },
        {
          description: 'Another cluster to apply to; the cluster of this object by default.',
          'x-kubernetes-validations': [
            {
              message: 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified',
              rule: 'has(self.configMapRef) || has(self.secretRef)',
            },
            {
              message: 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified',
              rule: '!has(self.configMapRef) || !has(self.secretRef)',
            },
          ],
        },
      ),
    ),
    namePrefix: Type.Optional(text('Text to put before the name of every object.', { minLength: 1, maxLength: 200 })),
    nameSuffix: Type.Optional(text('Text to put after the name of every object.', { minLength: 1, maxLength: 200 })),
    patches: Type.Optional(
      Type.Array(
        Type.Object(
          {
            patch: text('The patch: a strategic merge patch, or a list of JSON 6902 operations, as YAML or JSON.'),
            target: Type.Optional(selector('Objects to patch; the object that the patch itself names by default.')),
          },
          { description: 'One patch and the objects it is for.' },
        ),
        { description: 'Strategic merge and JSON 6902 patches to put on the built objects.' },
      ),
    ),
    path: Type.Optional(
      text('Folder of the artifact that holds kustomization.yaml or plain manifests; the root by default.'),
    ),
    postBuild: Type.Optional(
      Type.Object(
        {
          substitute: Type.Optional(textMap('Values by variable name; they go before those of substituteFrom.')),
          substituteFrom: Type.Optional(
            Type.Array(
              Type.Object(
                {
                  kind: Type.Enum(['Secret', 'ConfigMap'], { description: 'Kind that holds the values.' }),
                  name: text('Name of the Secret or ConfigMap, in the namespace of this object.', {
                    minLength: 1,
                    maxLength: 253,
                  }),
                  optional: Type.Optional(
                    flag('Go on without it when it does not exist, instead of failing.', { default: false }),
                  ),
                },
                { description: 'A Secret or ConfigMap whose keys are variables.' },
              ),
              { description: 'Secrets and ConfigMaps that hold values; a later one goes before an earlier one.' },
            ),
          ),
          substituteStrategy: Type.Optional(
            Type.Enum(['WithVariables', 'Always'], {
              description: 'Whether to look for variables only when values are given, or always.',
            }),
          ),
        },
        { description: 'Variables to replace in the built manifests, in the form ${name}.' },
      ),
    ),
    prune: flag('Delete applied objects that a later revision no longer holds.'),
    retryInterval: Type.Optional(
      text('How long to wait after a failure before the next try; spec.interval by default.', { pattern: DURATION }),
    ),
    serviceAccountName: Type.Optional(
      text('Service account to act as when applying; the rights of the controller by default.'),
    ),
    sourceRef: Type.Object(
      {
        apiVersion: Type.Optional(text('API version of the source.')),
        kind: Type.Enum(['OCIRepository', 'GitRepository', 'Bucket', 'ExternalArtifact'], {
          description: 'Kind of the source.',
        }),
        name: text('Name of the source.'),
        namespace: Type.Optional(text('Namespace of the source; the one of this object by default.')),
      },
      { description: 'Source whose artifact holds the manifests.' },
    ),
    suspend: Type.Optional(flag('Stop reconciling until it is false again; what was applied stays.')),
    targetNamespace: Type.Optional(
      text('Namespace to set on every namespaced object.', { minLength: 1, maxLength: 63 }),
    ),
    timeout: Type.Optional(
      text('Longest time for building, applying and health checks together; spec.interval by default.', {
        pattern: DURATION,
      }),
    ),
    wait: Type.Optional(flag('Check the health of every applied object; spec.healthChecks is then ignored.')),
  },
  { description: 'What to build, how to change it, and how to apply it.' },
);

const status = Type.Object(
  {
    ...reconciled,
    history: Type.Optional(
      Type.Array(
        Type.Object(
          {
            digest: text('Digest of the built manifests.'),
            firstReconciled: time('When this digest was first reconciled.'),
            lastReconciled: time('When this digest was last reconciled.'),
            lastReconciledDuration: text('How long the last reconciliation took, as a Go duration.'),
            lastReconciledStatus: text('How the last reconciliation ended.'),
            metadata: Type.Optional(textMap('What else is known of it, such as the revision.')),
            totalReconciliations: int64('How often this digest was reconciled.'),
          },
          { description: 'One set of built manifests and how it went.' },
        ),
        { description: 'What was reconciled lately, the newest first.' },
      ),
    ),
    inventory: Type.Optional(
      Type.Object(
        {
          entries: Type.Array(
            Type.Object(
              {
                id: text('The object, as NAMESPACE_NAME_GROUP_KIND.'),
                v: text('API version of the object without its group.'),
              },
              { description: 'One applied object.' },
            ),
            { description: 'The applied objects.' },
          ),
        },
        { description: 'Every object that was applied and is still to be kept; prune works from it.' },
      ),
    ),
    lastAppliedOriginRevision: Type.Optional(
      text('Where the content applied last originally comes from, when its source says so.'),
    ),
    lastAppliedRevision: Type.Optional(text('Revision of the source that was last applied with success.')),
    lastAttemptedRevision: Type.Optional(text('Revision of the source that was last tried.')),
  },
  { default: { observedGeneration: -1 }, description: 'What was applied last, and how it went.' },
);

export type KustomizationSpec = SpecOf<typeof spec>;
export type KustomizationStatus = SpecOf<typeof status>;
export type Kustomization = FluxObject<KustomizationSpec, KustomizationStatus>;

export const kustomization = defineKind({
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
  plural: 'kustomizations',
  shortNames: ['ks'],
  categories: ['all', 'fluxcd', 'fluxcd-appliers'],
  component: 'kustomize-controller',
  description: 'A folder of a source that is built with Kustomize and applied to the cluster.',
  spec,
  status,
  printerColumns: readyColumns,
});
