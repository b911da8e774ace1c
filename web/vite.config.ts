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

export default defineConfig({
  root: import.meta.dirname,
  plugins: [solid(), preloadFont()],
  build: {
    target: 'es2023',
    // The content security policy allows no data: fonts or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
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
