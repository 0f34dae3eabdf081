// The arrows of ARCHITECTURE.md: what each folder of src may import (tests may import anything).
const NOT_A_TEST = '[.]test[.]ts$';
const stages = 'identity|source|secrets|policy|build|apply|health|notify|audit|image|rollout';
const may = {
  base: 'base',
  api: 'base|api',
  engine: 'base|api|engine',
  kube: 'base|api|engine|kube',
  runtime: 'base|api|kube|runtime',
  server: 'base|api|engine|kube|server',
  cluster: 'base|api|engine|cluster',
  source: 'base|api|engine|kube|source',
  identity: 'base|api|engine|kube|identity',
  secrets: 'base|api|engine|kube|identity|secrets',
  policy: 'base|api|engine|kube|policy',
  build: 'base|api|engine|kube|build|secrets',
  apply: 'base|api|engine|kube|apply|health|policy',
  health: 'base|api|engine|kube|health',
  controllers: `base|api|engine|kube|runtime|controllers|${stages}`,
  demo: 'base|api|demo',
};
const arrows = Object.entries(may).map(([from, to]) => ({
  name: `${from}-imports-only-${to.replaceAll('|', '-')}`.slice(0, 60),
  severity: 'error',
  from: { path: `^src/${from}/`, pathNot: NOT_A_TEST },
  to: { path: '^src/', pathNot: `^src/(${to})/${from === 'build' ? '|^src/source/artifact/' : ''}` },
}));

module.exports = {
  forbidden: [
    ...arrows,
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    {
      name: 'pure-knows-no-node',
      severity: 'error',
      from: { path: '^src/(base|api|engine)/|^src/controllers/[^/]+/plan[.]ts$', pathNot: NOT_A_TEST },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'controllers-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/controllers/([^/]+)/', pathNot: NOT_A_TEST },
      to: { path: '^src/controllers/', pathNot: '^src/controllers/$1/' },
    },
    {
      name: 'only-cli-and-wiring-know-wiring',
      severity: 'error',
      from: { pathNot: `^src/cli/|${NOT_A_TEST}|^src/wiring` },
      to: { path: '^src/(wiring|cli)' },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js'] },
  },
};
