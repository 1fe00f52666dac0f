import { describe, expect, it } from 'vitest';
import { axisTicks, markRows } from '../src/call/layout';
import { CallClock } from '../src/lib/clock';
import { clock, levelShare, moment, paceShare, paceSide } from '../src/lib/format';
import { evidenceIn, lineOf, markPieces } from '../src/lib/marks';
import { mergeAlerts, mergeLines } from '../src/lib/merge';
import { placeCalls } from '../src/lib/slots';
import type { AlertView, Evidence, Line } from '../src/lib/wire';
import { en } from '../src/text/en';
import { zh } from '../src/text/zh';

describe('places on the wall', () => {
  it('keeps every call where it is while others come and go', () => {
    const first = placeCalls([], ['a', 'b', 'c', 'd', 'e']);
    const second = placeCalls(first, ['a', 'c', 'd', 'e']);
    expect(second).toEqual(['a', null, 'c', 'd', 'e']);
    expect(placeCalls(second, ['a', 'c', 'd', 'e', 'f'])).toEqual(['a', 'f', 'c', 'd', 'e']);
  });

  it('drops empty places at the end and closes up when most are empty', () => {
    expect(placeCalls(['a', 'b', 'c'], ['a', 'b'])).toEqual(['a', 'b']);
    expect(placeCalls(['a', 'b', 'c', 'd', 'e'], ['b', 'e'])).toEqual(['b', 'e']);
  });

  it('gives the same list back when nothing changed', () => {
    const places = ['a', null, 'c'];
    expect(placeCalls(places, ['a', 'c'])).toBe(places);
  });
});

describe('the clock between ticks', () => {
  it('runs evenly though the news is late by turns', () => {
    const call = new CallClock(10, 100, true);
    let before = 10;
    for (let step = 1; step <= 100; step += 1) {
      const now = 100 + step * 0.1;
      if (step % 2 === 0) call.tell(10 + step * 0.1 - (step % 4 === 0 ? 0.3 : 0), now, true);
      const shown = call.at(now);
      expect(shown).toBeGreaterThanOrEqual(before);
      expect(shown - before).toBeLessThan(0.2);
      before = shown;
    }
    expect(Math.abs(before - 20)).toBeLessThan(0.4);
  });

  it('stands still when the audio does, and takes over a jump at once', () => {
    const call = new CallClock(10, 100, true);
    expect(call.at(101)).toBeCloseTo(11);
    expect(call.at(160)).toBeCloseTo(11.5);
    call.tell(90, 161, true);
    expect(call.at(161)).toBeCloseTo(90);
    call.tell(90, 170, false);
    expect(call.at(200)).toBe(90);
  });
});

describe('figures', () => {
  it('writes times of day and of calls', () => {
    expect([clock(0), clock(59.99), clock(60), clock(3671), clock(-1)]).toEqual(['0:00', '0:59', '1:00', '1:01:11', '0:00']);
    expect([moment(83.2), moment(0.96)]).toEqual(['1:23.2', '0:00.9']);
  });

  it('knows the level scale and the pace band', () => {
    expect([levelShare(null), levelShare(-60), levelShare(-30), levelShare(3)]).toEqual([0, 0, 0.5, 1]);
    expect([179.4, 180, 200.4, 201].map(paceSide)).toEqual(['slow', 'good', 'good', 'fast']);
    expect([paceShare(180), paceShare(200), paceShare(20)]).toEqual([0.4, 0.5, 0]);
  });
});

const line = (segment: number, start: number, text: string, settled = true): Line => ({
  channel: 'agent',
  segment,
  start,
  end: start + 2,
  text,
  settled,
});
const said: Evidence = { channel: 'agent', text: '喂', start: 3, end: 3.2, match: 'exact' };

describe('evidence', () => {
  it('is marked wherever it stands and never changes the text', () => {
    const text = '喂，你好<b>喂</b>';
    const pieces = markPieces(text, ['喂', '']);
    expect(pieces.map((piece) => piece.text).join('')).toBe(text);
    expect(pieces.filter((piece) => piece.marked).map((piece) => piece.text)).toEqual(['喂', '喂']);
  });

  it('belongs to the line of its speaker and time', () => {
    const lines = [line(0, 0, '没有'), line(1, 2.5, '喂，您好'), { ...line(2, 2.5, '喂'), channel: 'customer' as const }];
    expect(lineOf(said, lines)?.segment).toBe(1);
    expect(evidenceIn(line(9, 30, '喂'), [said])).toEqual([]);
    expect(evidenceIn(line(1, 2.5, '喂，您好'), [said])).toEqual(['喂']);
  });
});

describe('merging', () => {
  const alert = (id: string, state: AlertView['state'] = 'raised'): AlertView => ({ id, state }) as AlertView;

  it('puts new alerts in front and changes known ones in their place', () => {
    const known = [alert('b'), alert('a')];
    const next = mergeAlerts(known, [alert('c'), alert('a', 'cleared'), alert('d')], 3);
    expect(next.map((one) => one.id)).toEqual(['d', 'c', 'b']);
    expect(mergeAlerts(known, [alert('a', 'cleared')], 9)[1]?.state).toBe('cleared');
    expect(mergeAlerts(known, [], 9)).toBe(known);
  });

  it('replaces unsettled lines, keeps settled ones, orders by time', () => {
    const known = mergeLines([], [line(1, 5, '您'), line(0, 1, '喂', false)]);
    expect(known.map((one) => one.segment)).toEqual([0, 1]);
    const next = mergeLines(known, [line(0, 1, '喂您好', true), line(1, 5, '别的', false)]);
    expect(next.map((one) => one.text)).toEqual(['喂您好', '您']);
    expect(mergeLines(next, [line(0, 1, '喂您好', true)])).toBe(next);
  });
});

describe('the timeline', () => {
  it('labels whole steps that fit', () => {
    expect(axisTicks(100, 700)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(axisTicks(3600, 300).length).toBeLessThanOrEqual(6);
  });

  it('stacks marks that would cover one another', () => {
    expect(markRows([0, 5, 8, 100], 20, 3)).toEqual([0, 1, 2, 0]);
    expect(Math.max(...markRows([0, 1, 2, 3, 4, 5], 20, 3))).toBe(2);
  });
});

describe('the two languages', () => {
  const shape = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]))
      : typeof value;

  const texts = (value: unknown): string[] => {
    if (typeof value === 'string') return [value];
    if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(texts);
    return [];
  };

  it('say the same things, none empty', () => {
    expect(shape(en)).toEqual(shape(zh));
    for (const text of [...texts(zh), ...texts(en)]) expect(text.trim()).not.toBe('');
  });

  it('do not mix', () => {
    const { language: _own, ...rest } = en;
    expect(texts(rest).filter((text) => /\p{Script=Han}/u.test(text))).toEqual([]);
  });
});
