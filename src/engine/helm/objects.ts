import { isObject, type Json } from '../../base/json.ts';
import { func } from '../gotemplate/func.ts';
import { namedType, pointerTo, STRING, STRING_MAP, STRINGS, structType } from '../gotemplate/go-type.ts';
import { typedList } from '../gotemplate/make-value.ts';
import { type GoType, Struct, TypedMap, type Value } from '../gotemplate/value.ts';
import type { JsonForm } from '../sprig/json-form.ts';
import type { Capabilities } from './capabilities.ts';
import type { Metadata } from './metadata.ts';

/** What `.Release` tells. */
export interface ReleaseOptions {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  readonly isUpgrade: boolean;
}

export function releaseObject({ name, namespace, revision, isUpgrade }: ReleaseOptions): Value {
  return new Map<string, Value>([
    ['Name', name],
    ['Namespace', namespace],
    ['IsUpgrade', isUpgrade],
    ['IsInstall', !isUpgrade],
    ['Revision', BigInt(revision)],
    ['Service', 'Helm'],
  ]);
}

/** `.Chart`: Go's names of the fields, and all of them. Source: helm@4.1.4 pkg/chart/common.go structToMap. */
export function chartObject(metadata: Metadata, isRoot: boolean): Map<string, Value> {
  return new Map<string, Value>([
    ['Name', metadata.name],
    ['Home', metadata.home],
    ['Sources', metadata.sources],
    ['Version', metadata.version],
    ['Description', metadata.description],
    ['Keywords', metadata.keywords],
    [
      'Maintainers',
      metadata.maintainers.map(
        ({ name, email, url }) =>
          new Map([
            ['Name', name],
            ['Email', email],
            ['URL', url],
          ]),
      ),
    ],
    ['Icon', metadata.icon],
    ['APIVersion', metadata.apiVersion],
    ['Condition', metadata.condition],
    ['Tags', metadata.tags],
    ['AppVersion', metadata.appVersion],
    ['Deprecated', metadata.deprecated],
    ['Annotations', new TypedMap(STRING_MAP, entriesOf(metadata.annotations))],
    ['KubeVersion', metadata.kubeVersion],
    [
      'Dependencies',
      metadata.dependencies.map(
        (one) =>
          new Map<string, Value>([
            ['Name', one.name],
            ['Version', one.version],
            ['Repository', one.repository],
            ['Condition', one.condition],
            ['Tags', one.tags],
            ['Enabled', one.enabled],
            ['ImportValues', one.importValues.map(importObject)],
            ['Alias', one.alias],
          ]),
      ),
    ],
    ['Type', metadata.type],
    ['IsRoot', isRoot],
  ]);
}

function entriesOf(record: Readonly<Record<string, string>> | undefined): readonly (readonly [string, Value])[] | null {
  return record === undefined ? null : Object.entries(record);
}

function importObject(value: Json): Value {
  if (!isObject(value)) return typeof value === 'string' ? value : null;
  return new TypedMap(STRING_MAP, Object.entries(value) as [string, string][]);
}

const VERSION_SET: GoType = namedType('common.VersionSet', STRINGS, {
  methods: new Map([
    ['Has', (receiver) => func([STRING], (version) => (receiver as readonly Value[]).includes(version))],
  ]),
});

interface VersionData {
  readonly version: string;
  readonly normalized: string;
}

const KUBE_VERSION: GoType = structType('common.KubeVersion', {
  text: (value) => (value as Struct<VersionData>).data.normalized,
  methods: new Map([
    ['String', (receiver) => func([], () => (receiver as Struct<VersionData>).data.normalized)],
    ['GitVersion', (receiver) => func([], () => (receiver as Struct<VersionData>).data.version)],
  ]),
});
const BUILD_INFO: GoType = structType('version.BuildInfo');
const CAPABILITIES: GoType = pointerTo(structType('common.Capabilities'));

/** The Helm whose behaviour this engine has: Go's name, JSON's name, value. Source: helm@4.1.4 internal/version. */
const HELM_VERSION: readonly (readonly [string, string, string])[] = [
  ['Version', 'version', 'v4.1.4'],
  ['GitCommit', 'git_commit', '05fa37973dc9e42b76e1d2883494c87174b6074f'],
  ['GitTreeState', 'git_tree_state', 'clean'],
  ['GoVersion', 'go_version', 'go1.25.9'],
  ['KubeClientVersion', 'kube_client_version', 'v1.35'],
];

function helmVersion(): Struct<JsonForm> {
  const fields = new Map(HELM_VERSION.map(([name, , value]) => [name, value]));
  const jsonForm = (): Value => new Map(HELM_VERSION.map(([, name, value]) => [name, value]));
  return new Struct(BUILD_INFO, fields, { jsonForm });
}

/** `.Capabilities`. Source: helm@4.1.4 pkg/chart/common/capabilities.go. */
export function capabilitiesObject({ kubeVersion, apiVersions }: Capabilities): Value {
  const { version, normalized, major, minor } = kubeVersion;
  const numbers = new Map([
    ['Version', version],
    ['Major', major],
    ['Minor', minor],
  ]);
  const fields = new Map<string, Value>([
    ['KubeVersion', new Struct<VersionData>(KUBE_VERSION, numbers, { version, normalized })],
    ['APIVersions', typedList(VERSION_SET, apiVersions)],
    ['HelmVersion', helmVersion()],
  ]);
  return new Struct(CAPABILITIES, fields, undefined);
}
