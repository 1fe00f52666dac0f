/** Where the reader is. Plain addresses, so that a link to a second of a call can be sent to a colleague. */

export type Route =
  | { page: 'wall' }
  | { page: 'calls' }
  | { page: 'call'; id: string; second: number | null }
  | { page: 'unknown' };

export function parseRoute(path: string, query: string): Route {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0) return { page: 'wall' };
  if (parts[0] !== 'calls' || parts.length > 2) return { page: 'unknown' };
  if (parts.length === 1) return { page: 'calls' };
  const asked = new URLSearchParams(query).get('t');
  const second = asked === null || asked === '' ? Number.NaN : Number(asked);
  try {
    const id = decodeURIComponent(parts[1] ?? '');
    return { page: 'call', id, second: Number.isFinite(second) && second >= 0 ? second : null };
  } catch {
    return { page: 'unknown' };
  }
}

export function callAddress(id: string, second?: number): string {
  const path = `/calls/${encodeURIComponent(id)}`;
  return second === undefined ? path : `${path}?t=${Math.max(0, Math.round(second * 10) / 10)}`;
}

class Router {
  route = $state.raw<Route>(parseRoute(location.pathname, location.search));
  /** Grows with every move, also to the same address. */
  moves = $state(0);

  start(): void {
    addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#click(event));
  }

  go(address: string): void {
    const same = address === location.pathname + location.search;
    history[same ? 'replaceState' : 'pushState'](null, '', address);
    this.#read();
  }

  #read(): void {
    this.route = parseRoute(location.pathname, location.search);
    this.moves += 1;
  }

  #click(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.hash !== '' || link.pathname.startsWith('/api/') || link.pathname === '/docs') return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
