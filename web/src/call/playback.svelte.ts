/** Where the reader listens. Works as a plain cursor when there is no recording to play. */
export class Playback {
  position = $state(0);
  playing = $state(false);
  /** unknown until the browser has looked at the recording */
  sound = $state<'unknown' | 'ready' | 'none'>('unknown');
  /** Grows with every jump, so that the transcript can follow. */
  jumps = $state(0);

  #audio: HTMLAudioElement | null = null;
  #frame = 0;

  attach(audio: HTMLAudioElement): () => void {
    this.#audio = audio;
    return () => {
      cancelAnimationFrame(this.#frame);
      audio.pause();
      this.#audio = null;
    };
  }

  seek(second: number): void {
    this.position = Math.max(0, second);
    this.jumps += 1;
    if (this.#audio && this.sound === 'ready') this.#audio.currentTime = this.position;
  }

  /** The recording can be played: begin where the reader already stands. */
  ready(): void {
    this.sound = 'ready';
    if (this.#audio && this.position > 0) this.#audio.currentTime = this.position;
  }

  toggle(): void {
    if (!this.#audio || this.sound !== 'ready') return;
    if (this.playing) this.#audio.pause();
    else void this.#audio.play().catch(() => (this.playing = false));
  }

  started(): void {
    this.playing = true;
    const follow = (): void => {
      if (this.#audio) this.position = this.#audio.currentTime;
      this.#frame = requestAnimationFrame(follow);
    };
    cancelAnimationFrame(this.#frame);
    follow();
  }

  stopped(): void {
    this.playing = false;
    cancelAnimationFrame(this.#frame);
  }

  set speed(value: number) {
    if (this.#audio) this.#audio.playbackRate = value;
  }
}
