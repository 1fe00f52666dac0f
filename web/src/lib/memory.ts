/** What this browser remembers. Where storage is forbidden, nothing is remembered and nothing breaks. */

const PREFIX = 'monitor.';

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // A private window may refuse; the choice then lasts as long as the page.
  }
}
