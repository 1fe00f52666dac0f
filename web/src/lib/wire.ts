/** What the server sends. Times are seconds of call audio unless they are ISO strings. */

export type Side = 'agent' | 'customer';
export type Channel = Side | 'mixed';
export type Phase = 'ringing' | 'talking' | 'held' | 'interrupted' | 'ended';
export type Severity = 'critical' | 'warning' | 'note';
export type Outcome = 'met' | 'broken' | 'cannot_tell' | 'not_applicable';
/** Why somebody should listen to a finding again. */
export type Review = 'unheard_by_fast' | 'unheard_by_careful' | 'fast_ear_only';
export type Both = { zh: string; en: string };

export interface Line {
  channel: Channel;
  segment: number;
  start: number;
  end: number;
  text: string;
  settled: boolean;
}

export interface Due {
  rule: string;
  occasion: number;
  title: Both;
  at: number;
  /** null: before the call ends */
  deadline: number | null;
  state: 'pending' | 'heard';
}

export type Counts = Record<Severity, number>;

export interface CallView {
  id: string;
  agent: string;
  direction: 'inbound' | 'outbound';
  packs: string[];
  source: string;
  phase: Phase;
  started: string;
  /** how far the audio has got */
  seconds: number;
  /** how far the recogniser is behind the audio */
  lag: number;
  mixed: boolean;
  speaking: Record<Side, boolean>;
  /** dBFS */
  level: Record<Side, number | null>;
  /** characters a minute */
  pace: number | null;
  /** syllables a minute */
  pace_acoustic: number | null;
  silence_since: number | null;
  hold_since: number | null;
  due: Due[];
  counts: Counts;
  lines: Line[];
}

export interface Evidence {
  channel: Channel;
  text: string;
  start: number;
  end: number;
  match: 'exact' | 'sound' | 'near';
}

export interface AlertView {
  id: string;
  call: string;
  rule: string;
  occasion: number;
  severity: Severity;
  state: 'raised' | 'confirmed' | 'cleared';
  channel: Channel | null;
  start: number;
  end: number;
  at: number;
  raised_at: number;
  review: Review | null;
  message: Both;
  title: Both;
  advice: Both;
  clause: string | null;
  evidence: Evidence[];
  ack: { by: string; at: string } | null;
  comment: string | null;
  right: boolean | null;
}

export interface CallSummary {
  id: string;
  agent: string;
  direction: 'inbound' | 'outbound';
  packs: string[];
  source: string;
  started: string;
  seconds: number;
  phase: Phase;
  counts: Counts;
  outcome: { met: number; broken: number; cannot_tell: number };
}

export interface Verdict {
  rule: string;
  outcome: Outcome;
  at: number;
  reason?: string;
  review?: Review | null;
}

export interface Turn {
  channel: Channel;
  start: number;
  end: number;
  pace: number | null;
}

export interface Report {
  schema: number;
  call: { id: string; seconds: number; model?: string | null; version?: string };
  verdicts: Verdict[];
  turns: Turn[];
  transcript: Omit<Line, 'segment' | 'settled'>[];
}

export interface PackInfo {
  id: string;
  title: Both | string;
  rules: { id: string; title: Both | string; severity: Severity }[];
}

export type CallChange = Partial<CallView> & { id: string };

export type Snapshot = {
  type: 'snapshot';
  seq: number;
  epoch: string;
  now: string;
  /** the careful ear cannot follow: the fast one answers alone */
  fast_only?: boolean;
  calls: CallView[];
  alerts: AlertView[];
};

export type Tick = {
  type: 'tick';
  seq: number;
  calls: CallChange[];
  alerts: AlertView[];
  gone: string[];
  /** only when it has changed */
  fast_only?: boolean;
};

export type ServerMessage = Snapshot | Tick;

const EMPTY: CallView = {
  id: '',
  agent: '',
  direction: 'inbound',
  packs: [],
  source: '',
  phase: 'talking',
  started: '',
  seconds: 0,
  lag: 0,
  mixed: false,
  speaking: { agent: false, customer: false },
  level: { agent: null, customer: null },
  pace: null,
  pace_acoustic: null,
  silence_since: null,
  hold_since: null,
  due: [],
  counts: { critical: 0, warning: 0, note: 0 },
  lines: [],
};

/** A whole view from the parts that are known; a call may be met first through a change. */
export function wholeCall(change: CallChange): CallView {
  return { ...EMPTY, ...change };
}
