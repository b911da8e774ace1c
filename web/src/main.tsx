/**
 * The page begins.
 *
 * @module web/main
 */
import { Route, Router } from '@solidjs/router';
import { lazy } from 'solid-js';
import { render } from 'solid-js/web';
import { paths } from './app/pages.ts';
import { Shell } from './app/shell.tsx';
import { ChatPage } from './chat/chat-page.tsx';
import { resumeBroken } from './data/answering.ts';
import { openConversations } from './data/conversations.ts';
import { follow, onComeback } from './data/node-state.ts';
import { followLinks } from './data/owner.ts';
import { NotFound } from './pages/not-found.tsx';
import './styles/index.css';

const StatusPage = lazy(() => import('./pages/status/status-page.tsx'));
const NetworkPage = lazy(() => import('./pages/network/network-page.tsx'));
const PeerPage = lazy(() => import('./pages/network/peer-page.tsx'));
const VaultPage = lazy(() => import('./pages/vault/vault-page.tsx'));
const PlacedPage = lazy(() => import('./pages/vault/placed-page.tsx'));
const KnowledgePage = lazy(() => import('./pages/knowledge/knowledge-page.tsx'));
const KbPage = lazy(() => import('./pages/knowledge/kb-page.tsx'));
const ConversationsPage = lazy(() => import('./pages/conversations/conversations-page.tsx'));

void openConversations();
onComeback(resumeBroken);
follow();
followLinks();

render(
  () => (
    <Router root={Shell}>
      <Route path={[paths.start, paths.chat, paths.conversation]} component={ChatPage} />
      <Route path={paths.conversations} component={ConversationsPage} />
      <Route path={paths.knowledge} component={KnowledgePage} />
      <Route path={[paths.kb, paths.kbView]} component={KbPage} />
      <Route path={paths.network} component={NetworkPage} />
      <Route path={paths.peer} component={PeerPage} />
      <Route path={paths.vault} component={VaultPage} />
      <Route path={paths.placed} component={PlacedPage} />
      <Route path={paths.status} component={StatusPage} />
      <Route path="*" component={NotFound} />
    </Router>
  ),
  document.getElementById('root')!,
);
