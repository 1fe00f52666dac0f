/** Figures as people read them. No words: those stand in `text/`. */

/** Seconds as m:ss, or h:mm:ss from an hour on. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  const s = String(whole % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${s}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${s}`;
}

/** As `clock`, with tenths: where in a call something lies. */
export function moment(seconds: number): string {
  const tenths = Math.max(0, Math.floor(seconds * 10 + 1e-6));
  return `${clock(Math.floor(tenths / 10))}.${tenths % 10}`;
}

/** Share of a level bar: -60 dBFS is empty, 0 dBFS full. */
export function levelShare(dbfs: number | null): number {
  if (dbfs === null || !Number.isFinite(dbfs)) return 0;
  return Math.min(1, Math.max(0, (dbfs + 60) / 60));
}

export const PACE = { low: 180, high: 200, from: 100, to: 300 } as const;

/** Where a pace stands on the gauge, 0 to 1. */
export function paceShare(pace: number): number {
  return Math.min(1, Math.max(0, (pace - PACE.from) / (PACE.to - PACE.from)));
}

export type PaceSide = 'slow' | 'good' | 'fast';

export function paceSide(pace: number): PaceSide {
  const rounded = Math.round(pace);
  if (rounded < PACE.low) return 'slow';
  return rounded > PACE.high ? 'fast' : 'good';
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Time of day in the reader's own zone; the same in both languages, so that it is never misread. */
export function dayTime(moment: Date): string {
  if (Number.isNaN(moment.getTime())) return '';
  return `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
}

/** Date and time of day in the reader's own zone. */
export function dateTime(moment: Date): string {
  if (Number.isNaN(moment.getTime())) return '';
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${dayTime(moment)}`;
}
