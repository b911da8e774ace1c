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
  network: '/network',
  peer: '/network/:id',
  status: '/status',
} as const;

export const conversationPath = (id: string): string => `/chat/${id}`;
export const peerPath = (peer: string): string => `/network/${peer}`;
