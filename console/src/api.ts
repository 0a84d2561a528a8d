// Asking the console's server. A failure to answer is a sentence for people, never an exception text.

export class AwayError extends Error {}

/** The API refused; `message` says why. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const AWAY = "The console itself does not answer. It is asked again in a moment.";

async function ask(path: string, options: RequestInit): Promise<Response> {
  try {
    return await fetch(path, {
      ...options,
      credentials: "omit",
      signal: AbortSignal.timeout(20_000),
    });
  } catch {
    throw new AwayError(AWAY);
  }
}

async function read<T>(answer: Response): Promise<T> {
  if (answer.ok) return (await answer.json()) as T;
  throw new RefusedError(answer.status, await describe(answer));
}

async function describe(answer: Response): Promise<string> {
  try {
    const problem = (await answer.json()) as { title?: string; detail?: string; code?: string };
    const code = problem.code ? `${problem.code}: ` : "";
    return `${code}${problem.detail ?? problem.title ?? `answered ${answer.status}`}`;
  } catch {
    return `The answer was ${answer.status}.`;
  }
}

export async function get<T>(path: string, token?: string): Promise<T> {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  return read<T>(await ask(path, { headers }));
}

export async function post<T>(path: string, token: string, body: unknown): Promise<T> {
  return read<T>(
    await ask(path, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}
