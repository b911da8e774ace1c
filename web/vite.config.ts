/**
 * Build of the page. `npm run build:web` writes web/dist; scripts/web-build.ts decides when that is needed.
 *
 * @module web/vite.config
 */
import { defineConfig, type Plugin } from 'vite';
import solid from 'vite-plugin-solid';

/** Where a node listens while the page is worked on (`npx vite web`). */
const node = process.env.KITH_DEV_NODE ?? 'http://127.0.0.1:11435';

/** The browser learns of the typeface with the document, not after the style sheet: text stands still earlier. */
function preloadFont(): Plugin {
  return {
    name: 'kith:preload-font',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle }) {
        const font = Object.keys(bundle ?? {}).find((name) =>
          /hanken-grotesk-latin-wght-normal.*\.woff2$/.test(name),
        );
        if (font === undefined) return [];
        const attrs = { rel: 'preload', as: 'font', type: 'font/woff2', href: `/${font}`, crossorigin: true };
        return [{ tag: 'link', attrs, injectTo: 'head' }];
      },
    },
  };
}

interface Modules {
  getModuleInfo(id: string): { readonly isEntry: boolean; readonly importers: readonly string[] } | null;
}

/**
 * All that the first load needs is two files: the libraries and the page's own. Left to itself the bundler makes a file of each
 * part that a later page shares, two dozen of them, which together are a sixth larger when compressed.
 */
function firstLoad() {
  const known = new Map<string, boolean>();
  const isNeeded = (id: string, modules: Modules): boolean => {
    const before = known.get(id);
    if (before !== undefined) return before;
    // Until it is known: modules that import each other would ask forever.
    known.set(id, false);
    const info = modules.getModuleInfo(id);
    const needed =
      info !== null && (info.isEntry || info.importers.some((importer) => isNeeded(importer, modules)));
    known.set(id, needed);
    return needed;
  };
  const group = (name: string, priority: number, test: RegExp) => ({
    ...{ priority, test },
    name: (id: string, modules: Modules) => (isNeeded(id, modules) ? name : null),
  });
  // The group of the higher priority takes its modules before another takes them along.
  return [group('libraries', 2, /[\\/]node_modules[\\/]/), group('first', 1, /./)];
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [solid(), preloadFont()],
  build: {
    target: 'es2023',
    // The content security policy allows no data: fonts or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: { codeSplitting: { groups: firstLoad() } },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ['/v1', '/kith', '/health'].map((path) => [
        path,
        {
          target: node,
          changeOrigin: true,
          // The node refuses pages of another origin, and the development server is one.
          configure: (proxy) => {
            proxy.on('proxyReq', (request) => request.removeHeader('origin'));
          },
        },
      ]),
    ),
  },
});
