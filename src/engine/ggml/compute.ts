/**
 * The process's one place of computation: the CPU backend with its persistent thread pool, the GPU backend when one
 * is used, and the rule that one graph runs at a time.
 *
 * Measured: without a persistent pool every compute creates threads (mean 2.9-4.6 ms against 2.6 ms a step on a small
 * model), `poll = 0` costs 2-3x, and more compute threads than free cores fall to a tenth of the speed (spinning
 * barriers). Hence one pool, `poll = 50`, one compute at a time, `cores - 1` threads by default.
 *
 * @module engine/ggml/compute
 */
import koffi from 'koffi';
import { KithError } from '../../base/index.ts';
import { type AbortSwitch, createAbortSwitch } from './abort.ts';
import type { Backend, BufferType, DeviceInfo, Ggml, SchedulerHandle } from './api.ts';

export interface Compute extends Disposable {
  readonly ggml: Ggml;
  readonly threads: number;
  readonly cpuBackend: Backend;
  readonly cpuBuffers: BufferType;
  /** The GPU in use, or null. */
  readonly gpu: {
    readonly device: DeviceInfo;
    readonly backend: Backend;
    readonly buffers: BufferType;
  } | null;
  /** Name for people: `CUDA0 (NVIDIA H200)`, `CPU (zen4)`. */
  readonly deviceName: string;
  /** Ends the CPU graph that runs, or null where that cannot be done. */
  readonly abortSwitch: AbortSwitch | null;
  createScheduler(graphSize: number): SchedulerHandle;
  /** Runs `work` alone: graphs share the thread pool. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
}

const THREADPOOL_PARAMS = 'kith_threadpool_params';
/** GGML_MAX_N_THREADS. */
const MAX_THREADS = 512;

export function createCompute(
  ggml: Ggml,
  options: { threads: number; device: 'auto' | 'cpu' | 'cuda' | 'vulkan' | 'metal' },
): Compute {
  const { call, cpu } = ggml;
  const threads = Math.max(1, Math.min(MAX_THREADS, Math.floor(options.threads)));
  const cpuBackend = call.ggml_backend_dev_init(cpu.handle, null) as Backend;
  koffi.struct(THREADPOOL_PARAMS, {
    cpumask: koffi.array('bool', MAX_THREADS),
    n_threads: 'int',
    prio: 'int',
    poll: 'uint32_t',
    strict_cpu: 'bool',
    paused: 'bool',
  });
  const newPool = ggml.procedure(
    cpu,
    'ggml_threadpool_new',
    `void* kith_threadpool_new(${THREADPOOL_PARAMS}* params)`,
  );
  const freePool = ggml.procedure(cpu, 'ggml_threadpool_free', 'void kith_threadpool_free(void* pool)');
  const setThreads = ggml.procedure(
    cpu,
    'ggml_backend_set_n_threads',
    'void kith_set_n_threads(void* backend, int n)',
  );
  const setPool = ggml.procedure(
    cpu,
    'ggml_backend_cpu_set_threadpool',
    'void kith_set_threadpool(void* backend, void* pool)',
  );
  const pool = newPool({
    cpumask: new Array<boolean>(MAX_THREADS).fill(false),
    n_threads: threads,
    prio: 0,
    poll: 50,
    strict_cpu: false,
    paused: false,
  });
  setThreads(cpuBackend, threads);
  setPool(cpuBackend, pool);

  const abortSwitch = createAbortSwitch(ggml, cpuBackend);
  const gpu = openGpu(ggml, options.device);
  let tail: Promise<unknown> = Promise.resolve();
  return {
    ggml,
    threads,
    cpuBackend,
    cpuBuffers: call.ggml_backend_dev_buffer_type(cpu.handle) as BufferType,
    gpu,
    abortSwitch,
    deviceName: gpu === null ? `CPU (${cpu.description})` : `${gpu.device.name} (${gpu.device.description})`,
    createScheduler(graphSize) {
      // The CPU must be last: it takes what the others cannot.
      const backends = gpu === null ? [cpuBackend] : [gpu.backend, cpuBackend];
      return call.ggml_backend_sched_new(
        backends,
        null,
        backends.length,
        graphSize,
        false,
        true,
      ) as SchedulerHandle;
    },
    exclusive(work) {
      const run = tail.then(work, work);
      tail = run.catch(() => {});
      return run;
    },
    [Symbol.dispose]() {
      abortSwitch?.[Symbol.dispose]();
      call.ggml_backend_free(cpuBackend);
      if (gpu !== null) call.ggml_backend_free(gpu.backend);
      freePool(pool);
    },
  };
}

function openGpu(ggml: Ggml, wanted: 'auto' | 'cpu' | 'cuda' | 'vulkan' | 'metal'): Compute['gpu'] {
  if (wanted === 'cpu') return null;
  const matches = (device: DeviceInfo) =>
    (device.kind === 'gpu' || device.kind === 'igpu') &&
    (wanted === 'auto' || device.backend.toLowerCase().startsWith(wanted === 'metal' ? 'm' : wanted));
  const device = ggml.devices.find((d) => matches(d) && d.kind === 'gpu') ?? ggml.devices.find(matches);
  if (device === undefined) {
    if (wanted === 'auto') return null;
    throw new KithError(
      'device_unavailable',
      `No ${wanted} device was found. Set engine.device to auto or cpu, or install its libraries: kith calibrate --install ${wanted}.`,
      { status: 503, details: { device: wanted } },
    );
  }
  const backend = ggml.call.ggml_backend_dev_init(device.handle, null) as Backend | null;
  if (backend === null) {
    if (wanted === 'auto') return null;
    throw new KithError('device_unavailable', `The device ${device.name} did not start.`, { status: 503 });
  }
  return { device, backend, buffers: ggml.call.ggml_backend_dev_buffer_type(device.handle) as BufferType };
}
