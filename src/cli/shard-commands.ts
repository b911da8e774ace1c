/**
 * The commands of sharded inference: serve blocks of a model, see who covers it, run prompts over peers.
 *
 * @module cli/shard-commands
 */
import type { Command } from 'commander';
import type { Add } from './program.ts';

export function addShard(program: Command, _add: Add): void {
  program.command('shard').description('run models over several nodes, a part on each').exitOverride();
}
