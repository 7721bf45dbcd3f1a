/* A page that is drawn anew until its work is done: only once the box answers, so that what it said
   last stays where the box does not. Without JavaScript the page reloads by itself instead. */

const RELOAD_MILLISECONDS = 2000;

const reloadOnceItAnswers = async () => {
  try {
    const answer = await fetch(location.href, {
      signal: AbortSignal.timeout(5000),
      cache: "no-store",
    });
    if (answer.ok) {
      location.reload();
      return;
    }
  } catch {
    // The box restarts, or the line is down.
  }
  setTimeout(() => void reloadOnceItAnswers(), RELOAD_MILLISECONDS);
};

setTimeout(() => void reloadOnceItAnswers(), RELOAD_MILLISECONDS);
