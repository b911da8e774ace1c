/**
 * A switch that ends a CPU graph while it computes. ggml asks a C callback `bool (*)(void* data)` before every
 * operation, from its compute thread. A JavaScript callback there would have to visit the main thread each time, so
 * the callback is libc's own `atoi` and `data` a text of one digit: it says 0 until somebody writes 1.
 *
 * @module engine/ggml/abort
 */
import koffi from 'koffi';
import type { Backend, Ggml } from './api.ts';

export interface AbortSwitch extends Disposable {
  set(aborted: boolean): void;
}

const ZERO = 0x30;
const ONE = 0x31;

/** Null where libc's `atoi` cannot be found: passes then run to their end. */
export function createAbortSwitch(ggml: Ggml, backend: Backend): AbortSwitch | null {
  const callback = findAtoi();
  if (callback === null) return null;
  const install = ggml.procedure(
    ggml.cpu,
    'ggml_backend_set_abort_callback',
    'void kith_set_abort_callback(void* backend, void* callback, void* data)',
  );
  const text = koffi.alloc('uint8_t', 2);
  const write = (digit: number) => koffi.encode(text, koffi.array('uint8_t', 2), [digit, 0]);
  write(ZERO);
  install(backend, callback, text);
  return {
    set: (aborted) => write(aborted ? ONE : ZERO),
    [Symbol.dispose]() {
      install(backend, null, null);
      koffi.free(text);
    },
  };
}

function findAtoi(): bigint | null {
  try {
    if (process.platform === 'win32') {
      const kernel = koffi.load('kernel32.dll');
      const handle = kernel.func('void* LoadLibraryA(const char* name)')('ucrtbase.dll');
      return kernel.func('void* GetProcAddress(void* module, const char* name)')(handle, 'atoi') as
        | bigint
        | null;
    }
    const libc = koffi.load(process.platform === 'darwin' ? '/usr/lib/libSystem.B.dylib' : 'libc.so.6');
    // RTLD_DEFAULT is null on Linux and -2 on macOS.
    const everywhere = process.platform === 'darwin' ? BigInt.asUintN(64, -2n) : null;
    return libc.func('void* dlsym(void* handle, const char* name)')(everywhere, 'atoi') as bigint | null;
  } catch {
    return null; // another libc: a pass cannot be interrupted there, everything else works
  }
}
