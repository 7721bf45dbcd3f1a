/* The wizard's progress page: follows the box's events, and draws itself anew when all is done.
   Without JavaScript the page reloads by itself instead. */

interface Progress {
  stages: [string, string][];
  finished: boolean;
}

const script = document.currentScript ?? document.querySelector("script[data-events]");
const address = script instanceof HTMLElement ? script.dataset["events"] : undefined;

if (address) {
  const events = new EventSource(address);
  let shown = document.querySelectorAll("#stages li").length;
  events.addEventListener("state", (event: MessageEvent<string>) => {
    const state = JSON.parse(event.data) as Progress | null;
    if (!state) return;
    for (const [stage, how] of state.stages) {
      const line = document.querySelector(`[data-stage="${stage}"]`);
      if (line) line.className = `kern-body stage stage--${how}`;
    }
    if (state.finished || shown !== state.stages.length) {
      shown = state.stages.length;
      events.close();
      location.reload();
    }
  });
  // The web server itself may restart meanwhile: look again by loading the page.
  events.addEventListener("error", () => {
    events.close();
    setTimeout(() => {
      location.reload();
    }, 1500);
  });
}
