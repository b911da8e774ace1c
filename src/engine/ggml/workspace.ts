/**
 * Room to build one graph in and to run it from: a ggml context for its tensors, the graph, and a scheduler that holds
 * the memory of its intermediate results.
 *
 * @module engine/ggml/workspace
 */
import { KithError } from '../../base/index.ts';
import type { Context, Graph, SchedulerHandle, Tensor } from './api.ts';
import type { Compute } from './compute.ts';
import { createOps, type Ops } from './ops.ts';

export interface Workspace extends Disposable {
  readonly graph: Graph;
  readonly scheduler: SchedulerHandle;
  readonly ops: Ops;
  /** Bytes of intermediate results, once finished. */
  bytes(): number;
  /** Ends the building: memory is taken for everything that leads to `output` and to what was expanded before.
   *  @throws KithError `memory_exhausted`; the workspace is disposed then */
  finish(output: Tensor | null, rows: number): void;
}

/** @param nodes tensors the graph may have at most */
export function openWorkspace(compute: Compute, nodes: number): Workspace {
  const { ggml } = compute;
  const { call } = ggml;
  const context = call.ggml_init({
    mem_size:
      Number(call.ggml_tensor_overhead()) * nodes + Number(call.ggml_graph_overhead_custom(nodes, false)),
    mem_buffer: null,
    no_alloc: true,
  }) as Context;
  const graph = call.ggml_new_graph_custom(context, nodes, false) as Graph;
  const scheduler = compute.createScheduler(nodes);
  const ops = createOps(ggml, context, graph);
  const dispose = () => {
    call.ggml_backend_sched_free(scheduler);
    call.ggml_free(context);
  };
  return {
    graph,
    scheduler,
    ops,
    bytes: () => Number(call.ggml_backend_sched_get_buffer_size(scheduler, compute.cpuBackend)),
    finish(output, rows) {
      if (output !== null) {
        call.ggml_set_output(output);
        ops.expand(output);
      }
      if (call.ggml_backend_sched_alloc_graph(scheduler, graph) as boolean) return;
      dispose();
      throw new KithError('memory_exhausted', `The engine could not get memory to compute ${rows} rows.`, {
        status: 503,
      });
    },
    [Symbol.dispose]: dispose,
  };
}
