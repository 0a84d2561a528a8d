// The operator's token: in this tab alone, until it is closed or the token is forgotten. It is sent
// in a header and nowhere else; no address, cookie or lasting storage ever has it.

const KEY = "gx-token";

export interface Claims {
  subject: string;
  role: string;
  expiresAtMs: number | null;
}

export function token(): string | null {
  return sessionStorage.getItem(KEY);
}

export function keep(value: string): void {
  sessionStorage.setItem(KEY, value);
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
}

/** Take a token out of what somebody pasted: `Bearer …`, or with line breaks of a terminal. */
export function clean(pasted: string): string {
  return pasted.replace(/^\s*bearer\s+/i, "").replace(/\s+/g, "");
}

/** Read who a token stands for, unverified: the API decides, this is for the eye alone. */
export function claimsOf(value: string): Claims | null {
  const payload = value.split(".")[1];
  if (payload === undefined) return null;
  try {
    const base64 = payload.replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    return {
      subject: String(claims.sub ?? "unknown"),
      role: String(claims.role ?? "unknown"),
      expiresAtMs: typeof claims.exp === "number" ? claims.exp * 1_000 : null,
    };
  } catch {
    return null;
  }
}
