/** Questions to the server. A refusal for want of a token is told to whoever listens, once for all questions. */

export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

let onLocked: () => void = () => undefined;

export function whenLocked(action: () => void): void {
  onLocked = action;
}

async function ask(address: string, init?: RequestInit): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(address, { credentials: 'same-origin', ...init });
  } catch {
    throw new ApiError(0, 'unreachable');
  }
  if (answer.status === 401 && address !== '/api/session') onLocked();
  if (!answer.ok) throw new ApiError(answer.status, await reason(answer));
  return answer.status === 204 ? null : await answer.json();
}

async function reason(answer: Response): Promise<string> {
  try {
    const body = (await answer.json()) as { detail?: unknown };
    return typeof body.detail === 'string' ? body.detail : answer.statusText;
  } catch {
    return answer.statusText;
  }
}

export const get = async <T>(address: string): Promise<T> => (await ask(address)) as T;

export const post = async <T>(address: string, body: unknown): Promise<T> =>
  (await ask(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })) as T;

/** As `get`, but null where there is no such thing (yet). */
export async function find<T>(address: string): Promise<T | null> {
  try {
    return await get<T>(address);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** Whether the server refuses us for want of a token; an unreachable server does not. */
export async function refused(): Promise<boolean> {
  try {
    return (await fetch('/api/status', { credentials: 'same-origin' })).status === 401;
  } catch {
    return false;
  }
}

export const path = (...parts: string[]): string => `/api/${parts.map(encodeURIComponent).join('/')}`;
