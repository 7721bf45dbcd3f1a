/* Texts that the box passes on to all, because LiveKit takes none from anybody in this room. */

import type { Written } from "../../api/types";

/** One after the other, so that none overtakes; of a line that goes on, what is latest. */
export class Relay {
  private readonly waiting = new Map<string, Written>();
  private running: Promise<void> | null = null;

  constructor(private readonly post: (written: Written) => Promise<unknown>) {}

  /** Resolves once nothing waits any more. Rejects, at the end as well, where something was refused. */
  send(written: Written): Promise<void> {
    this.waiting.set(written.id, written);
    this.running ??= this.run().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async run(): Promise<void> {
    let refused: unknown = null;
    for (let next = this.next(); next; next = this.next()) {
      try {
        await this.post(next);
      } catch (problem) {
        refused ??= problem;
      }
    }
    if (refused instanceof Error) throw refused;
  }

  private next(): Written | undefined {
    const [first] = this.waiting.values();
    if (first) this.waiting.delete(first.id);
    return first;
  }
}
