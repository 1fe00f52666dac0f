/** What the person at the desk does with an alert, and under which name. */
import { ApiError, path, post } from './api';
import { live } from './live.svelte';
import { recall, remember } from './memory';
import { words } from './words.svelte';
import type { AlertView } from './wire';

class Desk {
  /** As typed; empty when nobody gave a name. */
  typed = $state(recall('name') ?? '');

  get name(): string {
    return this.typed || words.text.name.none;
  }

  rename(name: string): void {
    this.typed = name.trim().slice(0, 40);
    remember('name', this.typed);
  }

  acknowledge(alert: AlertView): Promise<AlertView | null> {
    return this.#tell(alert, 'acknowledge', {});
  }

  judge(alert: AlertView, right: boolean): Promise<AlertView | null> {
    return this.#tell(alert, 'judge', { right });
  }

  comment(alert: AlertView, text: string): Promise<AlertView | null> {
    return this.#tell(alert, 'comment', { text });
  }

  async #tell(alert: AlertView, verb: string, body: object): Promise<AlertView | null> {
    try {
      const answer = await post<AlertView>(path('alerts', alert.id, verb), { by: this.name, ...body });
      live.replace(answer);
      return answer;
    } catch (error) {
      if (error instanceof ApiError) return null;
      throw error;
    }
  }
}

export const desk = new Desk();
