import { beforeEach, describe, expect, it } from 'vitest';
import { Link, type LinkState, type Plug } from '../src/lib/socket';
import type { ServerMessage } from '../src/lib/wire';

class Script implements Plug {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: unknown[] = [];
  closed = false;
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
  say(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

let plugs: Script[];
let states: LinkState[];
let messages: ServerMessage[];
let timers: { action: () => void; milliseconds: number }[];
let now: number;
let locked: boolean;
let link: Link;

const last = (): Script => plugs[plugs.length - 1] as Script;
const snapshot = (seq: number, epoch = 'one') => ({ type: 'snapshot', seq, epoch, now: '', calls: [], alerts: [] });
const tick = (seq: number) => ({ type: 'tick', seq, calls: [], alerts: [], gone: [] });
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
};
async function cut(code = 1006): Promise<void> {
  last().onclose?.({ code });
  await settle();
}
function elapse(): void {
  const due = timers.pop();
  now += due?.milliseconds ?? 0;
  due?.action();
}

beforeEach(() => {
  plugs = [];
  states = [];
  messages = [];
  timers = [];
  now = 0;
  locked = false;
  link = new Link(
    {
      connect: () => {
        plugs.push(new Script());
        return last();
      },
      now: () => now,
      later: (action, milliseconds) => {
        const timer = { action, milliseconds };
        timers.push(timer);
        return () => (timers = timers.filter((other) => other !== timer));
      },
      random: () => 0.5,
      locked: () => Promise.resolve(locked),
    },
    (state) => states.push(state),
    (message) => messages.push(message),
  );
  link.start();
  last().onopen?.();
});

describe('the link', () => {
  it('says hello, then resumes from the last message it took', async () => {
    expect(last().sent).toEqual([{ type: 'hello' }]);
    last().say(snapshot(4));
    last().say(tick(5));
    await cut();
    elapse();
    last().onopen?.();
    expect(last().sent).toEqual([{ type: 'resume', epoch: 'one', seq: 5 }]);
  });

  it('drops a tick that it had already', () => {
    last().say(snapshot(4));
    last().say(tick(4));
    last().say(tick(5));
    expect(messages.map((message) => message.seq)).toEqual([4, 5]);
  });

  it('asks again when a tick is missing, but does not circle', () => {
    now = 20000;
    last().say(snapshot(1));
    last().say(tick(4));
    expect(plugs).toHaveLength(2);
    last().onopen?.();
    expect(last().sent).toEqual([{ type: 'resume', epoch: 'one', seq: 1 }]);
    last().say(tick(4));
    expect(plugs).toHaveLength(2);
    expect(messages.map((message) => message.seq)).toEqual([1, 4]);
  });

  it('waits longer with every failure and begins anew after a success', async () => {
    const pauses: number[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      await cut();
      pauses.push(timers[timers.length - 1]?.milliseconds ?? 0);
      elapse();
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000]);
    last().say(snapshot(1));
    await cut();
    expect(timers[timers.length - 1]?.milliseconds).toBe(500);
  });

  it('asks for a token instead of trying again when the server refuses', async () => {
    locked = true;
    await cut();
    expect(states[states.length - 1]).toEqual({ state: 'locked' });
    expect(timers).toHaveLength(0);
    locked = false;
    link.retry();
    last().say(snapshot(1));
    expect(states[states.length - 1]).toEqual({ state: 'open' });
  });

  it('leaves a server that fell silent while calls run', () => {
    last().say(snapshot(1));
    now += 19000;
    link.watch(true);
    expect(plugs).toHaveLength(1);
    now += 2000;
    link.watch(false);
    expect(plugs).toHaveLength(1);
    link.watch(true);
    expect(plugs).toHaveLength(2);
  });

  it('gives up a handshake that hangs', async () => {
    expect(timers.map((timer) => timer.milliseconds)).toEqual([8000]);
    elapse();
    await settle();
    expect(states[states.length - 1]?.state).toBe('waiting');
  });

  it('does not trip over messages that it does not know', () => {
    last().say({ type: 'else' });
    last().onmessage?.({ data: 'no json' });
    last().onmessage?.({ data: new ArrayBuffer(1) });
    expect(messages).toHaveLength(0);
  });
});
