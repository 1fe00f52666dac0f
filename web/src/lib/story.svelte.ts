/** All that is kept of one call: asked for once, and added to by the socket while the call runs. */
import { ApiError, find, get, path } from './api';
import { mergeLines } from './merge';
import type { AlertView, Both, CallView, Line, PackInfo, Report } from './wire';

export class Story {
  readonly id: string;
  state = $state<'loading' | 'ready' | 'missing' | 'failed'>('loading');
  view = $state.raw<CallView | null>(null);
  lines = $state.raw<Line[]>([]);
  alerts = $state.raw<AlertView[]>([]);
  report = $state.raw<Report | null>(null);
  titles = $state.raw(new Map<string, Both | string>());

  constructor(id: string) {
    this.id = id;
  }

  async load(): Promise<void> {
    try {
      const view = await find<CallView>(path('calls', this.id));
      if (view === null) {
        this.state = 'missing';
        return;
      }
      const [transcript, alerts, report, packs] = await Promise.all([
        find<{ lines: Line[] }>(path('calls', this.id, 'transcript')),
        get<{ alerts: AlertView[] }>(`/api/alerts?${new URLSearchParams({ call: this.id, limit: '1000' })}`),
        view.phase === 'ended' ? find<Report>(path('calls', this.id, 'report')) : null,
        packTitles(),
      ]);
      this.view = view;
      this.report = report;
      this.alerts = alerts.alerts;
      this.titles = packs;
      this.lines = mergeLines(this.lines, transcript?.lines ?? linesOf(report));
      this.state = 'ready';
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.state === 'loading') this.state = 'failed';
    }
  }

  hear(lines: Line[]): void {
    this.lines = mergeLines(this.lines, lines);
  }

  replace(alert: AlertView): void {
    this.alerts = this.alerts.map((known) => (known.id === alert.id ? alert : known));
  }
}

function linesOf(report: Report | null): Line[] {
  return (report?.transcript ?? []).map((line, segment) => ({ ...line, segment, settled: true }));
}

async function packTitles(): Promise<Map<string, Both | string>> {
  const titles = new Map<string, Both | string>();
  const answer = await find<PackInfo[] | { packs: PackInfo[] }>('/api/packs');
  const packs = Array.isArray(answer) ? answer : (answer?.packs ?? []);
  for (const pack of packs) {
    for (const rule of pack.rules) {
      titles.set(rule.id.includes('/') ? rule.id : `${pack.id}/${rule.id}`, rule.title);
    }
  }
  return titles;
}
