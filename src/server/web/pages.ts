/**
 * The addresses that the page itself routes: each of them is answered with the page's document. The page's own table
 * is web/src/app/pages.ts; a test holds the two together.
 *
 * @module server/web/pages
 */
export const pagePaths = [
  '/',
  '/chat',
  '/chat/:id',
  '/conversations',
  '/knowledge',
  '/knowledge/:kb',
  '/knowledge/:kb/:view',
  '/network',
  '/network/:id',
  '/vault',
  '/vault/:kb',
  '/status',
] as const;
