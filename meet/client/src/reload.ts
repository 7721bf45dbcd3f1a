/* A page that is drawn anew until its work is done: only once the box answers, so that what it said
   last stays where the box does not. Without JavaScript the page reloads by itself instead. */

const RELOAD_MILLISECONDS = 2000;
// A small box that copies disks meanwhile takes several seconds for a page.
const PATIENCE_MILLISECONDS = 30_000;

const reloadOnceItAnswers = async () => {
  try {
    const answer = await fetch(location.href, {
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
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
