/**
 * Loads the ggml libraries once per process and gives typed access to devices, buffers and calls.
 *
 * Any bad shape or type aborts the process (`GGML_ASSERT`), so this runs only in the engine's child process and
 * callers validate first. A compute must not overlap another on the same scheduler.
 *
 * @module engine/ggml/api
 */
import koffi from 'koffi';
import { KithError, messageOf } from '../../base/index.ts';
import { findLibraries, type LibrarySet } from './platform.ts';
import { BASE_SYMBOLS, REGISTRY_SYMBOLS, type SymbolName } from './symbols.ts';

declare const brand: unique symbol;
type Handle<Name extends string> = bigint & { readonly [brand]: Name };
export type Tensor = Handle<'tensor'>;
export type Context = Handle<'context'>;
export type Graph = Handle<'graph'>;
export type Buffer = Handle<'buffer'>;
export type BufferType = Handle<'buffer-type'>;
export type Backend = Handle<'backend'>;
export type Device = Handle<'device'>;
export type SchedulerHandle = Handle<'scheduler'>;

// biome-ignore lint/suspicious/noExplicitAny: a C prototype per symbol is checked by koffi at call time
type Native = ((...args: any[]) => any) & { async: (...args: any[]) => void };

export interface DeviceInfo {
  readonly handle: Device;
  readonly name: string;
  readonly description: string;
  readonly kind: 'cpu' | 'gpu' | 'igpu' | 'accelerator';
  /** `CPU`, `CUDA`, `Vulkan`, `Metal`, ... */
  readonly backend: string;
  readonly memoryFree: number;
  readonly memoryTotal: number;
}

export interface Ggml {
  readonly libraries: LibrarySet;
  readonly call: Readonly<Record<SymbolName, Native>>;
  readonly devices: readonly DeviceInfo[];
  readonly cpu: DeviceInfo;
  /** GPU modules that were present but did not load, with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** Buffer types that keep weights in a layout the CPU multiplies faster (`CPU_REPACK`); empty when there is none. */
  readonly cpuExtraBuffers: readonly BufferType[];
  /** What the CPU backend was built for and this processor has: `AVX512_BF16`, `NEON`, `REPACK`, ... */
  readonly cpuFeatures: ReadonlySet<string>;
  /** Resolves a function by name from a device's backend module. */
  procedure(device: DeviceInfo, name: string, prototype: string): Native;
  /** Runs a native call on a worker thread. */
  async(name: SymbolName, ...args: unknown[]): Promise<unknown>;
}

export interface LoadOptions {
  readonly extraRoots?: readonly string[];
  /** GPU kinds to try. @default all */
  readonly gpu?: readonly ('cuda' | 'vulkan' | 'metal')[];
  /** ggml's own log lines. Level: 1 debug, 2 info, 3 warn, 4 error. */
  readonly onLog?: (level: number, text: string) => void;
}

const DEVICE_KINDS = ['cpu', 'gpu', 'igpu', 'accelerator'] as const;
let loaded: Ggml | null = null;

/** Loads once; later calls return the same object. @throws KithError `engine_library` */
export function loadGgml(options: LoadOptions = {}): Ggml {
  if (loaded !== null) return loaded;
  const libraries = findLibraries(options.extraRoots ?? []);
  koffi.struct('ggml_init_params', { mem_size: 'size_t', mem_buffer: 'void*', no_alloc: 'bool' });
  const call = {} as Record<SymbolName, Native>;
  try {
    // `global` so that backend modules find the core symbols on platforms without rpath.
    const base = koffi.load(libraries.base, { global: true });
    const registry = koffi.load(libraries.ggml, { global: true });
    for (const [name, prototype] of Object.entries(BASE_SYMBOLS)) {
      call[name as SymbolName] = base.func(prototype) as unknown as Native;
    }
    for (const [name, prototype] of Object.entries(REGISTRY_SYMBOLS)) {
      call[name as SymbolName] = registry.func(prototype) as unknown as Native;
    }
  } catch (cause) {
    throw new KithError(
      'engine_library',
      `The engine library ${libraries.ggml} could not be loaded: ${messageOf(cause)}. Run "npm ci" again; on Linux a glibc system is needed.`,
      { cause },
    );
  }
  // Registered early: the repack code prints one line per tensor to stderr otherwise.
  const callbackType = koffi.proto('void ggml_log_callback(int level, const char* text, void* user)');
  const onLog = options.onLog ?? (() => {});
  const callback = koffi.register(
    (level: number, text: string) => onLog(level, text),
    koffi.pointer(callbackType),
  );
  call.ggml_log_set(callback, null);

  call.ggml_backend_load_all_from_path(libraries.dir);
  const skipped: { path: string; reason: string }[] = [];
  const wanted = options.gpu ?? ['cuda', 'vulkan', 'metal'];
  const listed = () => listDevices(call);
  for (const module of libraries.gpuModules) {
    if (!wanted.includes(module.kind)) continue;
    if (listed().some((device) => device.kind === 'gpu')) break;
    const registered = call.ggml_backend_load(module.path) as bigint | null;
    if (registered === null)
      skipped.push({ path: module.path, reason: 'its driver or libraries are missing' });
    else if (!listed().some((device) => device.kind === 'gpu' || device.kind === 'igpu')) {
      skipped.push({ path: module.path, reason: 'it found no device' });
    }
  }
  const devices = listed();
  const cpu = devices.find((device) => device.kind === 'cpu');
  if (cpu === undefined) {
    throw new KithError('engine_library', `No CPU backend in ${libraries.dir} runs on this processor.`);
  }
  const procedure = (device: DeviceInfo, name: string, prototype: string): Native => {
    const reg = call.ggml_backend_dev_backend_reg(device.handle);
    const pointer = call.ggml_backend_reg_get_proc_address(reg, name);
    if (pointer === null)
      throw new KithError('engine_library', `The ${device.backend} backend lacks ${name}.`);
    return koffi.decode(pointer, koffi.proto(prototype)) as unknown as Native;
  };
  loaded = {
    libraries,
    call,
    devices,
    cpu,
    skipped,
    cpuExtraBuffers: extraBuffers(procedure, cpu),
    cpuFeatures: features(procedure, cpu, call.ggml_backend_dev_backend_reg(cpu.handle)),
    procedure,
    async: (name, ...args) =>
      new Promise((resolve, reject) => {
        call[name].async(...args, (error: unknown, result: unknown) => {
          if (error) reject(error instanceof Error ? error : new Error(String(error)));
          else resolve(result);
        });
      }),
  };
  return loaded;
}

function listDevices(call: Readonly<Record<SymbolName, Native>>): DeviceInfo[] {
  const devices: DeviceInfo[] = [];
  const count = Number(call.ggml_backend_dev_count());
  for (let index = 0; index < count; index++) {
    const handle = call.ggml_backend_dev_get(index) as Device;
    const free = [0];
    const total = [0];
    call.ggml_backend_dev_memory(handle, free, total);
    devices.push({
      handle,
      name: call.ggml_backend_dev_name(handle) as string,
      description: call.ggml_backend_dev_description(handle) as string,
      kind: DEVICE_KINDS[call.ggml_backend_dev_type(handle) as number] ?? 'accelerator',
      backend: call.ggml_backend_reg_name(call.ggml_backend_dev_backend_reg(handle)) as string,
      memoryFree: Number(free[0]),
      memoryTotal: Number(total[0]),
    });
  }
  return devices;
}

function extraBuffers(procedure: Ggml['procedure'], cpu: DeviceInfo): BufferType[] {
  let list: bigint | null;
  try {
    const get = procedure(cpu, 'ggml_backend_dev_get_extra_bufts', 'void* ggml_extra_bufts(void* dev)');
    list = get(cpu.handle) as bigint | null;
  } catch {
    return []; // older or other backends have none: the plain buffer is always right
  }
  const found: BufferType[] = [];
  if (list === null) return found;
  for (let index = 0; index < 16; index++) {
    const entry = koffi.decode(list, index * 8, 'void*') as BufferType | null;
    if (entry === null) break;
    found.push(entry);
  }
  return found;
}

/** `ggml_backend_get_features`: an array of { name, value } that ends with a null name. */
function features(procedure: Ggml['procedure'], cpu: DeviceInfo, registry: bigint): Set<string> {
  const found = new Set<string>();
  try {
    const get = procedure(cpu, 'ggml_backend_get_features', 'void* kith_get_features(void* reg)');
    const list = get(registry) as bigint | null;
    if (list === null) return found;
    for (let index = 0; index < 256; index++) {
      const name = koffi.decode(list, index * 16, 'const char*') as string | null;
      if (name === null) break;
      if (koffi.decode(list, index * 16 + 8, 'const char*') === '1') found.add(name);
    }
  } catch {
    return found; // a backend without the list has no features to report
  }
  return found;
}
