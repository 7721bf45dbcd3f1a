/* Texts that the box passes on to all, because LiveKit takes none from anybody in this room. */

import { Refused } from "../../api/calls";
import type { Written } from "../../api/types";

// So often a letter is enough, and less than the box takes.
const APART_MS = 60;
const AGAIN_MS = 1000;
const TRIES = 5;

interface Waiting {
  written: Written;
  done: () => void;
  failed: (problem: unknown) => void;
}

const pause = (ms: number) => new Promise((over) => setTimeout(over, ms));

/** One after the other, so that none overtakes; of a line that goes on, what is latest. */
export class Relay {
  private readonly waiting = new Map<string, Waiting>();
  private running = false;

  constructor(private readonly post: (written: Written) => Promise<unknown>) {}

  /** Resolves once all have it, or more of the same line; rejects where it is refused. */
  send(written: Written): Promise<void> {
    return new Promise((done, failed) => {
      this.waiting.get(written.id)?.done();
      this.waiting.set(written.id, { written, done, failed });
      void this.run();
    });
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    for (let next = this.next(); next; next = this.next()) {
      await this.deliver(next);
      await pause(APART_MS);
    }
    this.running = false;
  }

  private async deliver({ written, done, failed }: Waiting): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.post(written);
        done();
        return;
      } catch (problem) {
        if (tries === TRIES || !(problem instanceof Refused) || problem.final) {
          failed(problem);
          return;
        }
      }
      // More of this line is on its way, and would have come last.
      if (this.waiting.has(written.id)) {
        done();
        return;
      }
      await pause(AGAIN_MS);
    }
  }

  private next(): Waiting | undefined {
    const [first] = this.waiting.values();
    if (first) this.waiting.delete(first.written.id);
    return first;
  }
}
