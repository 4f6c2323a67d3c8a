import type { State } from '../../protocol/client/index.ts';
import type { Backend } from '../net/backend.ts';
import { need, setText } from './dom.ts';

/** A drop that is mended sooner is not worth a word, ms. */
const AFTER_MS = 700;

/** Says from now on when the connection is lost, and what happens about it. Lies over the page, moves nothing. */
export function tellOfConnection(backend: Backend): void {
  const banner = need('banner', HTMLDivElement);
  const text = need('banner-text', HTMLParagraphElement);
  const action = need('banner-action', HTMLButtonElement);
  const dot = need('link-dot', HTMLSpanElement);
  const link = need('link', HTMLSpanElement);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function show(): void {
    timer = undefined;
    const { state, wasOpen } = backend;
    if (state.name === 'open') return;
    setText(text, sentence(state, wasOpen));
    action.hidden = state.name !== 'closed';
    banner.classList.toggle('still', state.name === 'closed');
    banner.hidden = false;
  }

  function update(): void {
    const { state } = backend;
    dot.className = `dot ${state.name}`;
    setText(link, LINKS[state.name]);
    if (state.name === 'open') {
      clearTimeout(timer);
      timer = undefined;
      banner.hidden = true;
    } else if (banner.hidden) timer ??= setTimeout(show, AFTER_MS);
    else show();
  }

  action.addEventListener('click', () => location.reload());
  backend.onChange(update);
  update();
}

const LINKS: Readonly<Record<State['name'], string>> = {
  open: 'Connected',
  connecting: 'Connecting',
  waiting: 'Reconnecting',
  closed: 'Disconnected',
};

function sentence(state: State, wasOpen: boolean): string {
  if (state.name === 'closed') return `The gateway let go: ${state.reason.says}.`;
  const lost = wasOpen ? 'Connection lost. Your place is kept' : 'Waiting for the gateway';
  if (state.name === 'waiting' && state.forMs >= 1_000) {
    return `${lost}; trying again in ${Math.round(state.forMs / 1_000)} s.`;
  }
  return wasOpen ? `${lost}; reconnecting.` : `${lost}. Practice works without one.`;
}
