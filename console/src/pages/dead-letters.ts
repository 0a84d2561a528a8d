// Commands that were given up: why, and what an operator decides.

import { get, post } from "../api";
import { byId, fill, h, table, time } from "../dom";
import { ago, moment } from "../format";
import { onToken, open, tokenNeeded } from "../operator";
import { poll } from "../poll";
import { token } from "../session";
import type { DeadLetter, Page } from "../types";
import { refused } from "./commands";

type Act = "replay" | "discard";

const REASON_MIN = 10;
const REASON_MAX = 500;
const WORDS: Record<Act, { title: string; text: string; done: string }> = {
  replay: {
    title: "Replay this command?",
    text:
      "It goes back into the queue under its id, so it cannot take effect twice. Mend the cause " +
      "first, or it comes back here.",
    done: "replayed",
  },
  discard: {
    title: "Discard this command for good?",
    text: "It will never take effect, and this cannot be undone. Tell its client.",
    done: "discarded",
  },
};

function attempts(letter: DeadLetter): HTMLElement {
  const lines = letter.history.map((each) =>
    h(
      "li",
      {},
      each.atMs !== undefined && time(each.atMs, moment(each.atMs, Date.now())),
      ` ${each.reason ?? ""}`,
    ),
  );
  return h(
    "details",
    {},
    h("summary", {}, `${letter.history.length} entries of its history`),
    h("ol", { class: "history" }, ...lines),
  );
}

class DeadLetterPage {
  private readonly body = h("div", { class: "stack" });
  private readonly news = h("p", { role: "status", class: "news" });
  private refresh: () => void = () => {};
  private drawn = "";

  show(main: HTMLElement): void {
    main.append(
      h(
        "div",
        { class: "heading" },
        h(
          "div",
          {},
          h("h1", {}, "Dead letters"),
          h(
            "p",
            { class: "quiet" },
            "Commands that were given up after several attempts. They had no effect, and have none until somebody decides.",
          ),
        ),
      ),
      this.news,
      this.body,
    );
    this.refresh = poll(() => this.read());
    onToken(() => {
      this.drawn = "";
      this.refresh();
    });
  }

  private async read(): Promise<void> {
    const held = token();
    if (held === null) {
      fill(this.body, tokenNeeded("Dead letters"));
      return;
    }
    try {
      const page = await get<Page<DeadLetter>>("/api/operator/dead-letters?limit=100", held);
      const content = JSON.stringify(page);
      if (content === this.drawn) return;
      this.drawn = content;
      fill(this.body, this.list(page));
    } catch (error) {
      this.drawn = "";
      fill(this.body, refused(error));
    }
  }

  private list(page: Page<DeadLetter>): HTMLElement {
    if (page.items.length === 0) return h("p", { class: "card quiet" }, "Nothing was given up.");
    return h(
      "div",
      { class: "card scroll", role: "region", tabindex: 0, "aria-label": "Dead letters" },
      table(
        "Dead letters that nobody has handled, newest first",
        ["Command", "Type", "Actor", "Given up", "Why", "Decide"],
        page.items.map((letter) => this.row(letter)),
        { class: "list" },
      ),
      page.nextCursor !== null &&
        h("p", { class: "quiet" }, "There are more; these are the newest 100."),
    );
  }

  private row(letter: DeadLetter) {
    const button = (act: Act, text: string): HTMLElement =>
      h(
        "button",
        {
          type: "button",
          class: act === "discard" ? "danger" : "",
          "aria-label": `${text} ${letter.commandType} ${letter.commandId}`,
          click: () => this.decide(letter, act),
        },
        text,
      );
    return [
      h("a", { href: `/commands/${letter.commandId}`, class: "id" }, letter.commandId),
      letter.commandType,
      letter.actor,
      time(letter.buriedAtMs, ago(letter.buriedAtMs, Date.now())),
      h("div", {}, h("p", { class: "reason" }, letter.reason), attempts(letter)),
      h("div", { class: "buttons" }, button("replay", "Replay"), button("discard", "Discard")),
    ];
  }

  /** Ask for the reason, then act; a refusal stays in the dialog. */
  private decide(letter: DeadLetter, act: Act): void {
    const words = WORDS[act];
    const reason = h("textarea", {
      id: "reason",
      rows: 3,
      required: true,
      minlength: REASON_MIN,
      maxlength: REASON_MAX,
      "aria-describedby": "reason-about",
    });
    const fault = h("p", { class: "fault", role: "alert" });
    const confirm = h(
      "button",
      { type: "submit", class: act === "discard" ? "danger" : "primary" },
      act === "discard" ? "Discard it" : "Replay it",
    );
    const dialog = h("dialog", { "aria-labelledby": "act-title" });
    const submit = async (event: Event): Promise<void> => {
      event.preventDefault();
      confirm.disabled = true;
      try {
        await this.send(letter, act, reason.value.trim());
        dialog.close();
      } catch (error) {
        fill(fault, error instanceof Error ? error.message : "It failed.");
      } finally {
        confirm.disabled = false;
      }
    };
    dialog.append(
      h(
        "form",
        { submit: (event: Event) => void submit(event) },
        h("h2", { id: "act-title" }, words.title),
        h("p", {}, `${letter.commandType} of ${letter.actor}`),
        h("p", { class: "id quiet" }, letter.commandId),
        h("p", {}, words.text),
        h("label", { for: "reason" }, "Reason"),
        reason,
        h(
          "p",
          { id: "reason-about", class: "quiet" },
          `${REASON_MIN} to ${REASON_MAX} characters; kept in the audit with your name.`,
        ),
        fault,
        h(
          "div",
          { class: "buttons" },
          confirm,
          h("button", { type: "button", class: "plain", click: () => dialog.close() }, "Cancel"),
        ),
      ),
    );
    open(dialog);
    reason.focus();
  }

  private async send(letter: DeadLetter, act: Act, reason: string): Promise<void> {
    await post(`/api/operator/dead-letters/${letter.commandId}/${act}`, token() ?? "", { reason });
    fill(
      this.news,
      `${letter.commandType} was ${WORDS[act].done}: `,
      h("a", { href: `/commands/${letter.commandId}` }, "see its journey"),
    );
    this.drawn = "";
    this.refresh();
  }
}

export function showDeadLetters(): void {
  new DeadLetterPage().show(byId("main"));
}
