/* The page of what works: draws its table anew when the box or a phone has found something.
   Without JavaScript it is loaded anew by hand. */

const script = document.currentScript ?? document.querySelector("script[data-events]");
const address = script instanceof HTMLElement ? script.dataset["events"] : undefined;

async function renew(): Promise<void> {
  const answer = await fetch(location.href);
  if (!answer.ok || answer.redirected) {
    location.reload();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = page.getElementById("findings");
  const shown = document.getElementById("findings");
  // The code stays as it is: somebody may be pointing a phone at it.
  if (now && shown) shown.replaceChildren(...now.childNodes);
}

if (address) {
  const events = new EventSource(address);
  const again = (): void => {
    renew().catch(() => {
      // The box may be away for a moment; the next event tries again.
    });
  };
  events.addEventListener("change", again);
  events.addEventListener("over", () => {
    events.close();
  });
  // Whatever happened before the connection stood, or while it was gone.
  events.addEventListener("open", again);
}

export {}; // a module, whose names are its own
