import { buildCommand } from './build/build.ts';
import { diffCommand } from './build/diff.ts';
import { checkCommand } from './check.ts';
import type { Command } from './command.ts';
import { completionCommand } from './completion.ts';
import { createCommand } from './create/create.ts';
import { debugCommand } from './debug.ts';
import { deleteCommand } from './delete.ts';
import { envsubstCommand } from './envsubst.ts';
import { eventsCommand } from './events.ts';
import { exportCommand } from './export.ts';
import { getCommand } from './get.ts';
import { globalFlags } from './global-flags.ts';
import { installCommand } from './install/install.ts';
import { kustomizeCommand } from './kustomize.ts';
import { logsCommand } from './logs.ts';
import { reconcileCommand } from './reconcile.ts';
import { statsCommand } from './stats.ts';
import { resumeCommand, suspendCommand } from './suspend.ts';
import { traceCommand } from './trace.ts';
import { treeCommand } from './tree.ts';
import { uninstallCommand } from './uninstall.ts';
import { versionCommand } from './version-command.ts';

/** The whole command tree. Parts with heavy imports are loaded when they are called. */
export function rootCommand(env: Readonly<Record<string, string | undefined>>): Command {
  return {
    use: 'weir',
    short: 'GitOps for Kubernetes: git in, cluster equal to git',
    long: 'Weir keeps a Kubernetes cluster equal to what is in git. Its commands and flags are those of Flux.',
    example: `  # Check prerequisites
  weir check --pre

  # Install Weir
  weir install

  # Create a source for a public Git repository
  weir create source git webapp-latest \\
    --url=https://example.com/org/webapp \\
    --branch=master \\
    --interval=3m

  # List GitRepository sources and their status
  weir get sources git

  # Trigger a GitRepository source reconciliation
  weir reconcile source git flux-system

  # Export GitRepository sources in YAML format
  weir export source git --all > sources.yaml

  # Create a Kustomization for deploying a series of microservices
  weir create kustomization webapp-dev \\
    --source=webapp-latest \\
    --path="./deploy/webapp/" \\
    --prune=true \\
    --interval=5m

  # Trigger a git sync of the Kustomization's source and apply changes
  weir reconcile kustomization webapp-dev --with-source

  # Suspend a Kustomization reconciliation
  weir suspend kustomization webapp-dev

  # Uninstall Weir and delete CRDs
  weir uninstall`,
    persistentFlags: globalFlags(env),
    commands: [
      buildCommand,
      checkCommand,
      {
        use: 'cluster',
        short: 'Run Kubernetes in the box: an embedded control plane with simulated workloads',
        load: async () => (await import('./cluster.ts')).clusterCommand(),
      },
      completionCommand,
      createCommand,
      debugCommand,
      deleteCommand,
      diffCommand,
      envsubstCommand,
      eventsCommand,
      exportCommand,
      getCommand,
      {
        use: 'git-server',
        short: 'Serve git repositories over SSH on loopback',
        load: async () => (await import('./git-server.ts')).gitServerCommand,
      },
      installCommand,
      kustomizeCommand,
      logsCommand,
      reconcileCommand,
      resumeCommand,
      {
        use: 'run',
        short: 'Run the engine against a cluster',
        load: async () => (await import('./run.ts')).runCommand((await import('../wiring.ts')).startEngine),
      },
      {
        use: 'start',
        short: 'Run the walk-through: a cluster, a git server, the engine and the page',
        load: async () => (await import('./start.ts')).startCommand,
      },
      statsCommand,
      suspendCommand,
      traceCommand,
      treeCommand,
      uninstallCommand,
      versionCommand,
    ],
  };
}
