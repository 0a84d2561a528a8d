// Asks again and again, while somebody looks: a hidden tab asks nothing.

export const REFRESH_MS = 10_000;

/** Run `work` now and every `everyMs` after it has ended; return how to run it at once. */
export function poll(
  work: () => Promise<void>,
  everyMs: () => number = () => REFRESH_MS,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isRunning = false;
  let isWanted = false;

  async function turn(): Promise<void> {
    if (isRunning) {
      isWanted = true;
      return;
    }
    clearTimeout(timer);
    isRunning = true;
    try {
      do {
        isWanted = false;
        await work();
      } while (isWanted);
    } finally {
      isRunning = false;
      timer = setTimeout(() => void (document.hidden || turn()), everyMs());
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void turn();
  });
  void turn();
  return () => void turn();
}
