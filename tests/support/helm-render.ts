import type { Result } from '../../src/base/result.ts';
import { templateHost } from '../../src/build/helm/template-host.ts';
import { DEFAULT_API_VERSIONS, DEFAULT_KUBE_VERSION, parseKubeVersion } from '../../src/engine/helm/capabilities.ts';
import type { Chart } from '../../src/engine/helm/chart.ts';
import type { HelmError } from '../../src/engine/helm/failure.ts';
import { type RenderedChart, renderChart } from '../../src/engine/helm/render-chart.ts';
import { userValues } from '../../src/engine/helm/user-values.ts';
import type { HelmArguments } from './helm-arguments.ts';

/** Renders a chart as the recorded `helm` did: with no cluster, at UTC. */
export function renderForTest(
  chart: Chart,
  release: string,
  options: HelmArguments,
  warn: (text: string) => void = () => {},
): Result<RenderedChart, HelmError> {
  const values = userValues(options.values);
  if (!values.ok) return values;
  return renderChart(chart, values.value, {
    release: { name: release, namespace: options.namespace, revision: 1, isUpgrade: options.isUpgrade },
    capabilities: {
      kubeVersion: (options.kubeVersion && parseKubeVersion(options.kubeVersion)) || DEFAULT_KUBE_VERSION,
      apiVersions: [...DEFAULT_API_VERSIONS, ...options.apiVersions],
    },
    skipSchemaValidation: options.skipSchemaValidation,
    host: templateHost,
    warn,
  });
}
