/* Whether this computer keeps up. A camera in the dark gives fewer pictures, too: what counts is how
   long one takes here, never how many come. */

const WINDOW_MS = 5000;

export class Pace {
  private timer: ReturnType<typeof setInterval> | undefined;
  private done = 0;
  private spent = 0;
  private begun: number | undefined;

  /** `slow` is called where one took longer than `longest` milliseconds on average, for five seconds. */
  constructor(
    private readonly longest: number,
    private readonly slow: () => void,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.look();
    }, WINDOW_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Do `work`, and count how long it took. */
  async time<T>(work: () => Promise<T>): Promise<T> {
    this.begun = performance.now();
    try {
      return await work();
    } finally {
      this.spent += performance.now() - this.begun;
      this.begun = undefined;
      this.done += 1;
    }
  }

  private look(): void {
    const now = performance.now();
    if (this.begun !== undefined) {
      // One that never ends counts as well.
      this.spent += now - this.begun;
      this.begun = now;
    }
    const slow = this.spent / Math.max(this.done, 1) > this.longest;
    this.done = this.spent = 0;
    if (slow) this.slow();
  }
}
