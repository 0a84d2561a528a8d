// Who operates: the dialog that takes a token, and the button that shows whose it is.

import { byId, fill, h } from "./dom";
import { ago } from "./format";
import { type Claims, claimsOf, clean, forget, keep, token } from "./session";

type Listener = () => void;
const listeners: Listener[] = [];

/** Be told when the token is another. */
export function onToken(listener: Listener): void {
  listeners.push(listener);
}

function changed(): void {
  draw();
  for (const listener of listeners) listener();
}

function draw(): void {
  const button = byId<HTMLButtonElement>("operator");
  const value = token();
  const claims = value === null ? null : claimsOf(value);
  button.hidden = false;
  fill(button, claims === null ? "Enter token" : `${claims.subject} (${claims.role})`);
  button.classList.toggle("known", claims !== null);
}

function about(claims: Claims): string {
  if (claims.expiresAtMs === null) return `${claims.subject}, role ${claims.role}`;
  const now = Date.now();
  const end =
    claims.expiresAtMs < now
      ? `expired ${ago(claims.expiresAtMs, now)}`
      : `valid until ${new Date(claims.expiresAtMs).toLocaleTimeString("en-GB")}`;
  return `${claims.subject}, role ${claims.role}, ${end}`;
}

/** Open the dialog that takes or forgets a token. */
export function askToken(): void {
  const value = token();
  const claims = value === null ? null : claimsOf(value);
  const input = h("input", {
    id: "token",
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    "aria-describedby": "token-about",
  });
  const fault = h("p", { class: "fault", role: "alert" });
  const dialog = h("dialog", { "aria-labelledby": "token-title" });
  const submit = (event: Event): void => {
    event.preventDefault();
    const given = clean(input.value);
    if (claimsOf(given) === null) {
      fill(fault, "This is no token: it has three parts with dots between them.");
      return;
    }
    keep(given);
    dialog.close();
    changed();
  };
  const drop = (): void => {
    forget();
    dialog.close();
    changed();
  };
  dialog.append(
    h(
      "form",
      { submit, method: "dialog" },
      h("h2", { id: "token-title" }, "Operator's token"),
      claims && h("p", {}, `Now: ${about(claims)}.`),
      h(
        "p",
        { id: "token-about", class: "quiet" },
        "Commands and dead letters are read and handled with your own rights. The token stays in " +
          "this tab until you close it. On a development stack: gx token --role admin --subject ops",
      ),
      h("label", { for: "token" }, "Bearer token"),
      input,
      fault,
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "submit", class: "primary" }, "Use it in this tab"),
        claims && h("button", { type: "button", class: "plain", click: drop }, "Forget it"),
        h("button", { type: "button", class: "plain", click: () => dialog.close() }, "Cancel"),
      ),
    ),
  );
  open(dialog);
}

/** Show a dialog; it leaves the page when it is closed, and the focus goes back. */
export function open(dialog: HTMLDialogElement): void {
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** What a page shows to somebody without a token. */
export function tokenNeeded(what: string): HTMLElement {
  return h(
    "section",
    { class: "card center" },
    h("h2", {}, "Your token is needed"),
    h("p", {}, `${what} come from the API, with the rights of your own token.`),
    h("button", { type: "button", class: "primary", click: askToken }, "Enter token"),
    h(
      "p",
      { class: "quiet" },
      "On a development stack: ",
      h("code", {}, "gx token --role admin --subject ops"),
    ),
  );
}

export function setUpOperator(): void {
  byId("operator").addEventListener("click", askToken);
  draw();
}
