/** Upserts for lists that the server sends in parts. Pure; the same list comes back when nothing changed. */
import type { AlertView, Line } from './wire';

/** Newest first; what is known already stays in its place. `limit` bounds what a screen keeps. */
export function mergeAlerts(known: AlertView[], changed: readonly AlertView[], limit: number): AlertView[] {
  if (changed.length === 0) return known;
  const places = new Map(known.map((alert, place) => [alert.id, place]));
  const next = [...known];
  const fresh = new Map<string, AlertView>();
  for (const alert of changed) {
    const place = places.get(alert.id);
    if (place !== undefined) next[place] = alert;
    else fresh.set(alert.id, alert);
  }
  return [...[...fresh.values()].reverse(), ...next].slice(0, limit);
}

const lineKey = (line: Line): string => `${line.channel}/${line.segment}`;

/** Lines in time; a segment's newer text replaces its older one, but a settled line is never unsettled. */
export function mergeLines(known: Line[], changed: readonly Line[]): Line[] {
  const byKey = new Map(known.map((line) => [lineKey(line), line]));
  let touched = false;
  for (const line of changed) {
    const old = byKey.get(lineKey(line));
    if (old && (old.settled || (old.text === line.text && old.settled === line.settled))) continue;
    byKey.set(lineKey(line), line);
    touched = true;
  }
  if (!touched) return known;
  return [...byKey.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}
