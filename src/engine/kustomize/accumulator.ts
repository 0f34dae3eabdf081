import { ResourceMap } from './resource-map.ts';
import type { TransformerConfig } from './transformer-config.ts';
import { EMPTY_CONFIG, mergeConfigs } from './transformer-config.ts';
import { mergeVarSets, type VarSet } from './vars.ts';

/** What a kustomization comes to: its resources, and what transformers above it must know. */
export class Accumulator {
  readonly resources: ResourceMap = new ResourceMap();
  config: TransformerConfig = EMPTY_CONFIG;
  vars: VarSet = new Map();

  mergeConfig(config: TransformerConfig): void {
    this.config = mergeConfigs(this.config, config);
  }

  /** Takes in what a base came to. @throws KustomizeFailure when an id or a variable is there twice */
  merge(other: Accumulator): void {
    this.resources.appendAll(other.resources.list);
    this.mergeConfig(other.config);
    this.vars = mergeVarSets(this.vars, other.vars.values());
  }
}
