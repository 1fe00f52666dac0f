/**
 * A call's clock between ticks. The server tells how far the audio has got, several times a second and with the
 * network's jitter on it; the clock runs on by itself and is drawn gently to what was told, so that it neither
 * stutters nor runs backwards. When the audio stands still, so does the clock.
 */
const JUMP = 1.5; // seconds off: a replay or a resumed call, taken over at once
const AHEAD = 1.5; // seconds the clock may run on without news
const PULL = 0.15; // share of the difference taken over with each tick

export class CallClock {
  /** wall seconds at which the call's audio was at zero */
  #zero: number;
  #told: number;
  #shown: number;
  #running: boolean;

  constructor(seconds: number, now: number, running: boolean) {
    this.#zero = now - seconds;
    this.#told = seconds;
    this.#shown = seconds;
    this.#running = running;
  }

  /** The server said that the audio has got to `seconds`; `now` is a steady wall clock in seconds. */
  tell(seconds: number, now: number, running: boolean): void {
    const zero = now - seconds;
    const off = Math.abs(zero - this.#zero);
    if (off > JUMP || !running || !this.#running) {
      this.#zero = zero;
      this.#shown = off > JUMP ? seconds : Math.max(this.#shown, seconds);
    } else {
      this.#zero += (zero - this.#zero) * PULL;
    }
    this.#told = seconds;
    this.#running = running;
  }

  /** Seconds to show at wall time `now`; never less than what was shown before, unless the call was replayed. */
  at(now: number): number {
    if (!this.#running) return this.#told;
    const value = Math.min(now - this.#zero, this.#told + AHEAD);
    this.#shown = Math.max(this.#shown, value);
    return this.#shown;
  }
}
