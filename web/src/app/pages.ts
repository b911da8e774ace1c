/**
 * The addresses that this page routes. The node answers each of them with the document (src/server/web/pages.ts).
 *
 * @module web/app/pages
 */
export const paths = {
  start: '/',
  chat: '/chat',
  conversation: '/chat/:id',
  conversations: '/conversations',
  knowledge: '/knowledge',
  kb: '/knowledge/:kb',
  kbView: '/knowledge/:kb/:view',
  network: '/network',
  peer: '/network/:id',
  vault: '/vault',
  placed: '/vault/:kb',
  status: '/status',
} as const;

export const conversationPath = (id: string): string => `/chat/${id}`;
/** @param view a part of the page of a knowledge base; its own choice without */
export const kbPath = (kb: string, view?: string): string =>
  `/knowledge/${encodeURIComponent(kb)}${view === undefined ? '' : `/${view}`}`;
/** A knowledge base that lies with peers. */
export const placedPath = (kb: string): string => `/vault/${encodeURIComponent(kb)}`;
export const peerPath = (peer: string): string => `/network/${peer}`;
