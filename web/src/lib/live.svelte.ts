/** What is going on now: the calls and alerts that the socket tells of, and the state of the link itself. */
import { refused } from './api';
import { CallClock } from './clock';
import { lineOf } from './marks';
import { mergeAlerts } from './merge';
import { placeCalls } from './slots';
import { Link, type LinkState, type Plug } from './socket';
import { wholeCall, type AlertView, type CallChange, type CallView, type Line, type ServerMessage } from './wire';

const KEPT_ALERTS = 500;

const RUNNING = new Set(['ringing', 'talking', 'held']);

const steady = (): number => performance.now() / 1000;

/** One call: its view is replaced with every change, so that a card redraws only what differs. */
export class LiveCall {
  view: CallView = $state.raw(wholeCall({ id: '' }));
  readonly clock: CallClock;
  /** What does not change in a call's life; reading it does not bind a reader to every tick. */
  readonly facts: { id: string; agent: string; started: string };

  constructor(change: CallChange) {
    this.view = wholeCall(change);
    this.facts = { id: this.view.id, agent: this.view.agent, started: this.view.started };
    this.clock = new CallClock(this.view.seconds, steady(), RUNNING.has(this.view.phase));
  }

  take(change: CallChange, whole: boolean): void {
    this.view = whole ? wholeCall(change) : { ...this.view, ...change };
    if (whole || change.seconds !== undefined || change.phase !== undefined) {
      this.clock.tell(this.view.seconds, steady(), RUNNING.has(this.view.phase));
    }
  }

  get running(): boolean {
    return RUNNING.has(this.view.phase);
  }
}

class Live {
  link = $state.raw<LinkState>({ state: 'connecting' });
  /** A snapshot has come: an empty wall is then truly empty. */
  loaded = $state(false);
  /** Ids in the order in which the calls came. */
  order = $state.raw<string[]>([]);
  places = $state.raw<(string | null)[]>([]);
  alerts = $state.raw<AlertView[]>([]);
  /** Alerts that came after the page was opened, for the announcement to screen readers. */
  latest = $state.raw<AlertView | null>(null);
  /** The careful ear cannot follow: what is said is heard by the fast one alone. */
  fastOnly = $state(false);
  /** Steady seconds, renewed ten times a second while the page is seen and the link is up. */
  now = $state(steady());
  /** Wall time of the last message. */
  told = $state(0);

  #calls = new Map<string, LiveCall>();
  /** The line in which an alert's evidence was said, kept beyond the few lines that a call shows. */
  #context = new Map<string, Line>();
  #link: Link;

  constructor() {
    this.#link = new Link(
      {
        connect: dial,
        now: () => performance.now(),
        later: (action, milliseconds) => {
          const timer = setTimeout(action, milliseconds);
          return () => clearTimeout(timer);
        },
        random: Math.random,
        locked: refused,
      },
      (state) => (this.link = state),
      (message) => this.#take(message),
    );
  }

  start(): void {
    this.#link.start();
    setInterval(() => this.#beat(), 100);
    addEventListener('online', () => this.#link.retry());
  }

  retry(): void {
    this.#link.retry();
  }

  lock(): void {
    this.link = { state: 'locked' };
  }

  call(id: string): LiveCall | undefined {
    return this.order.length >= 0 ? this.#calls.get(id) : undefined; // reading `order` makes the answer live
  }

  context(alert: string): Line | undefined {
    return this.#context.get(alert);
  }

  /** An alert as the server answered after an action; the socket tells the other screens. */
  replace(alert: AlertView): void {
    if (this.alerts.some((known) => known.id === alert.id)) {
      this.alerts = mergeAlerts(this.alerts, [alert], KEPT_ALERTS);
    }
  }

  #beat(): void {
    this.#link.watch([...this.#calls.values()].some((call) => call.running));
    if (!document.hidden && this.link.state === 'open') this.now = steady();
  }

  #take(message: ServerMessage): void {
    this.told = Date.now();
    if (message.type === 'snapshot' || message.fast_only !== undefined) this.fastOnly = message.fast_only ?? false;
    if (message.type === 'snapshot') this.#renew(message.calls, message.alerts);
    else this.#change(message.calls, message.alerts, message.gone);
  }

  #renew(calls: CallView[], alerts: AlertView[]): void {
    const present = new Set(calls.map((call) => call.id));
    for (const id of this.#calls.keys()) if (!present.has(id)) this.#calls.delete(id);
    for (const call of calls) this.#put(call, true);
    this.#seat();
    this.#remember(alerts);
    this.alerts = alerts.slice(0, KEPT_ALERTS);
    this.loaded = true;
  }

  #change(calls: CallChange[], alerts: AlertView[], gone: string[]): void {
    const before = this.#calls.size;
    for (const change of calls) this.#put(change, false);
    for (const id of gone) this.#calls.delete(id);
    if (gone.length > 0 || this.#calls.size !== before) this.#seat();
    if (alerts.length === 0) return;
    this.#remember(alerts);
    const known = new Set(this.alerts.map((alert) => alert.id));
    this.alerts = mergeAlerts(this.alerts, alerts, KEPT_ALERTS);
    this.latest = alerts.filter((alert) => !known.has(alert.id)).pop() ?? this.latest;
  }

  #put(change: CallChange, whole: boolean): void {
    const known = this.#calls.get(change.id);
    if (known) known.take(change, whole);
    else this.#calls.set(change.id, new LiveCall(change));
  }

  #seat(): void {
    this.order = [...this.#calls.keys()];
    this.places = placeCalls(this.places, this.order);
  }

  #remember(alerts: AlertView[]): void {
    for (const alert of alerts) {
      const lines = this.#calls.get(alert.call)?.view.lines;
      const first = alert.evidence[0];
      const line = lines && first && lineOf(first, lines);
      if (line) this.#context.set(alert.id, line);
    }
  }
}

function dial(): Plug {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return new WebSocket(`${scheme}://${location.host}/ws/live`) as Plug;
}

export const live = new Live();
