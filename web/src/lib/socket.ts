/**
 * The socket to `/ws/live`: resumes after a break with the epoch and the number of the last message, and tries
 * again with growing pauses. It knows nothing of screens, so that tests drive it with a scripted socket.
 */
import type { ServerMessage } from './wire';

export type LinkState =
  | { state: 'connecting' }
  | { state: 'open' }
  /** `retryAt`: milliseconds of the given clock at which the next attempt starts */
  | { state: 'waiting'; retryAt: number }
  /** the server wants a token before it lets a screen in */
  | { state: 'locked' };

export interface Plug {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Surroundings {
  connect(): Plug;
  now(): number;
  /** Runs `action` later; the returned function cancels it. */
  later(action: () => void, milliseconds: number): () => void;
  random(): number;
  /** Whether the server refuses this screen for want of a token. */
  locked(): Promise<boolean>;
}

const PAUSES = [500, 1000, 2000, 4000, 8000, 15000];
const QUIET = 20000; // a server with living calls that says nothing for so long is gone
const CONNECT = 8000; // a handshake that takes longer is given up
const REOPEN = 10000; // a gap in the numbers is asked about at most so often
const CODES_LOCKED = new Set([4401, 1008]);

export class Link {
  #around: Surroundings;
  #onState: (state: LinkState) => void;
  #onMessage: (message: ServerMessage) => void;
  #plug: Plug | null = null;
  #epoch: string | null = null;
  #seq = 0;
  #failures = 0;
  #live = false;
  #reopened = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;
  /** when the server last spoke; null until it has */
  #heard: number | null = null;
  #stopped = true;

  constructor(
    around: Surroundings,
    onState: (state: LinkState) => void,
    onMessage: (message: ServerMessage) => void,
  ) {
    this.#around = around;
    this.#onState = onState;
    this.#onMessage = onMessage;
  }

  start(): void {
    this.#stopped = false;
    this.#open();
  }

  stop(): void {
    this.#stopped = true;
    this.#drop();
  }

  /** Try now: the network came back, the reader pressed the button, or a token was given. */
  retry(): void {
    if (this.#stopped) return;
    this.#failures = 0;
    this.#open();
  }

  /** To be called now and then: a link that fell silent while `expecting` news is opened anew. */
  watch(expecting: boolean): void {
    if (expecting && this.#heard !== null && this.#around.now() - this.#heard > QUIET) this.#open();
  }

  #drop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#live = false;
    const plug = this.#plug;
    this.#plug = null;
    if (plug) {
      plug.onopen = plug.onmessage = plug.onclose = null;
      plug.close();
    }
  }

  #open(): void {
    this.#drop();
    this.#heard = null;
    this.#onState({ state: 'connecting' });
    const plug = this.#around.connect();
    this.#plug = plug;
    plug.onopen = () => {
      this.#heard = this.#around.now();
      const first = this.#epoch === null ? { type: 'hello' } : { type: 'resume', epoch: this.#epoch, seq: this.#seq };
      plug.send(JSON.stringify(first));
    };
    plug.onmessage = (event) => this.#take(event.data);
    plug.onclose = (event) => void this.#closed(event.code);
    this.#cancel = this.#around.later(() => void this.#closed(0), CONNECT);
  }

  #take(data: unknown): void {
    const message = parse(data);
    if (message === null) return;
    const now = this.#around.now();
    this.#heard = now;
    this.#cancel?.();
    this.#cancel = null;
    if (message.type === 'snapshot') {
      this.#epoch = message.epoch;
    } else {
      if (this.#epoch === null || message.seq <= this.#seq) return;
      if (message.seq > this.#seq + 1 && now - this.#reopened > REOPEN) {
        // Something was missed: ask for it from where we stand.
        this.#reopened = now;
        this.#open();
        return;
      }
    }
    this.#seq = message.seq;
    this.#failures = 0;
    if (!this.#live) {
      this.#live = true;
      this.#onState({ state: 'open' });
    }
    this.#onMessage(message);
  }

  async #closed(code: number): Promise<void> {
    this.#drop();
    if (this.#stopped) return;
    if (CODES_LOCKED.has(code) || (await this.#around.locked())) {
      if (this.#plug === null && !this.#stopped) this.#onState({ state: 'locked' });
      return;
    }
    if (this.#plug !== null || this.#stopped) return; // retried while we asked
    const pause = PAUSES[Math.min(this.#failures, PAUSES.length - 1)] ?? 15000;
    this.#failures += 1;
    const wait = pause * (0.8 + 0.4 * this.#around.random());
    this.#onState({ state: 'waiting', retryAt: this.#around.now() + wait });
    this.#cancel = this.#around.later(() => this.#open(), wait);
  }
}

function parse(data: unknown): ServerMessage | null {
  if (typeof data !== 'string') return null;
  try {
    const message = JSON.parse(data) as ServerMessage;
    return message.type === 'snapshot' || message.type === 'tick' ? message : null;
  } catch {
    return null;
  }
}
