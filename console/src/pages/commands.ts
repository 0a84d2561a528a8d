// Commands: the newest ones, and one command's journey.

import { get, RefusedError } from "../api";
import { byId, fill, h, table, time } from "../dom";
import { ago, milliseconds, moment } from "../format";
import { isFinal, journeyOf, type Step } from "../journey";
import { askToken, onToken, tokenNeeded } from "../operator";
import { poll, REFRESH_MS } from "../poll";
import { token } from "../session";
import { tellProblem } from "../shell";
import type { Command, Page } from "../types";

const STATUSES = [
  "PENDING",
  "PROCESSING",
  "COMMITTED",
  "PROJECTED",
  "REJECTED",
  "DEAD",
  "DISCARDED",
];
const FOLLOW_MS = 1_000;

function statusBadge(status: string): HTMLElement {
  return h("span", { class: `badge status ${status.toLowerCase()}` }, status);
}

/** Say why the API refused; a token that it does not take can be replaced at once. */
export function refused(error: unknown): HTMLElement {
  const text = error instanceof Error ? error.message : "The API is away";
  const isToken = error instanceof RefusedError && (error.status === 401 || error.status === 403);
  return h(
    "div",
    { class: "problem" },
    h("p", {}, text),
    isToken &&
      h("button", { type: "button", class: "plain", click: askToken }, "Enter another token"),
  );
}

function took(command: Command): string {
  return command.settledAtMs === undefined
    ? ""
    : milliseconds(Math.max(0, command.settledAtMs - command.acceptedAtMs));
}

function commandTable(commands: readonly Command[]): HTMLElement {
  const now = Date.now();
  return table(
    "Commands, newest first",
    ["Command", "Type", "Actor", "Status", "Accepted", { text: "Settled after", numeric: true }],
    commands.map((each) => [
      h("a", { href: `/commands/${each.commandId}`, class: "id" }, each.commandId),
      each.commandType,
      each.actor,
      statusBadge(each.status),
      time(each.acceptedAtMs, ago(each.acceptedAtMs, now)),
      took(each),
    ]),
    { class: "list" },
  );
}

function finder(): HTMLElement {
  const input = h("input", {
    id: "find",
    type: "search",
    required: true,
    pattern: "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    placeholder: "id of a command",
    title: "A command's id, as the answer to its request gave it",
    autocomplete: "off",
    spellcheck: "false",
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    location.assign(`/commands/${input.value.trim()}`);
  };
  return h(
    "form",
    { class: "find", submit, role: "search" },
    h("label", { for: "find" }, h("span", {}, "Find a command")),
    h("div", {}, input, h("button", { type: "submit" }, "Show its journey")),
  );
}

export function showCommands(): void {
  const status = h(
    "select",
    { id: "status" },
    h("option", { value: "" }, "Any"),
    ...STATUSES.map((each) => h("option", { value: each }, each)),
  );
  const body = h("div", { class: "stack" });
  byId("main").append(
    h(
      "div",
      { class: "heading" },
      h(
        "div",
        {},
        h("h1", {}, "Commands"),
        h("p", { class: "quiet" }, "The newest 50, as the API knows them."),
      ),
      h(
        "div",
        { class: "toolbar" },
        finder(),
        h("label", { for: "status" }, h("span", {}, "Status"), status),
      ),
    ),
    body,
  );
  const refresh = poll(async () => {
    const held = token();
    if (held === null) {
      fill(body, tokenNeeded("Commands"));
      return;
    }
    const query = new URLSearchParams({ limit: "50" });
    if (status.value !== "") query.set("status", status.value);
    try {
      const page = await get<Page<Command>>(`/api/operator/commands?${query}`, held);
      fill(
        body,
        page.items.length === 0
          ? h("p", { class: "card quiet" }, "There is none.")
          : h(
              "div",
              { class: "card scroll", role: "region", tabindex: 0, "aria-label": "Commands" },
              commandTable(page.items),
            ),
      );
    } catch (error) {
      fill(body, refused(error));
    }
  });
  status.addEventListener("change", refresh);
  onToken(refresh);
}

function stepItem(step: Step): HTMLElement {
  return h(
    "li",
    { class: `step ${step.state}`, "data-step": step.title },
    h("span", { class: "dot", "aria-hidden": "true" }),
    h("h3", {}, step.title, h("span", { class: "hidden" }, `: ${step.state}`)),
    h(
      "p",
      { class: "when" },
      step.atMs === null ? "" : time(step.atMs, moment(step.atMs, Date.now())),
      step.after && h("b", {}, step.after),
    ),
    h("p", { class: "quiet" }, step.detail),
  );
}

function facts(command: Command): HTMLElement {
  const lines: [string, string][] = [
    ["Command", command.commandId],
    ["Type", command.commandType],
    ["Acts for", command.actor],
    ["Sent by", command.subject],
    ["Attempts", String(command.attempts)],
    ["Transaction", command.transactionId ?? "none"],
    ["Code", command.code ?? ""],
    ["Detail", command.detail ?? ""],
    ...Object.entries(command.arguments).map(([name, value]): [string, string] => [name, value]),
  ];
  return h(
    "dl",
    { class: "card facts-list" },
    ...lines
      .filter(([, value]) => value !== "")
      .flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );
}

function journey(command: Command): HTMLElement {
  const end = command.projectedAtMs ?? command.settledAtMs;
  return h(
    "div",
    { class: "stack" },
    h(
      "p",
      { class: "verdict" },
      statusBadge(command.status),
      end !== undefined &&
        h(
          "span",
          { class: "quiet" },
          ` ${milliseconds(Math.max(0, end - command.acceptedAtMs))} from end to end`,
        ),
      command.status === "DEAD" &&
        h("a", { href: "/dead-letters" }, "Handle it in the dead letters"),
    ),
    h("ol", { class: "card journey" }, ...journeyOf(command).map(stepItem)),
    facts(command),
  );
}

export function showCommand(commandId: string): void {
  const body = h("div", { class: "stack" });
  let last = "";
  byId("main").append(
    h(
      "div",
      { class: "heading" },
      h("div", {}, h("h1", {}, "A command's journey"), h("p", { class: "id quiet" }, commandId)),
    ),
    body,
  );
  const refresh = poll(
    async () => {
      const held = token();
      if (held === null) {
        fill(body, tokenNeeded("Commands"));
        return;
      }
      try {
        const command = await get<Command>(`/api/operator/commands/${commandId}`, held);
        last = command.status;
        tellProblem(null);
        fill(body, journey(command));
      } catch (error) {
        fill(body, refused(error));
      }
    },
    () => (isFinal(last) ? REFRESH_MS : FOLLOW_MS),
  );
  onToken(refresh);
}
