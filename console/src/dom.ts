// Elements in one expression. Text is always text: nothing is parsed as HTML.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined | EventListener>;

const SVG = "http://www.w3.org/2000/svg";

function apply(element: Element, attributes: Attributes, children: Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name, value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  apply(element, attributes, children);
  return element;
}

export function s(name: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
  const element = document.createElementNS(SVG, name);
  apply(element, attributes, children);
  return element;
}

export function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element #${id}`);
  return element as T;
}

/** Put these in the place of everything that is in the element. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(
    ...children.filter((child) => child !== null && child !== undefined && child !== false),
  );
}

/** A table with a caption that is read aloud, headings, and one row for each item. */
export function table(
  caption: string,
  headings: readonly (string | { text: string; numeric: boolean })[],
  rows: readonly Child[][],
  attributes: Attributes = {},
): HTMLElement {
  const columns = headings.map((each) =>
    typeof each === "string" ? { text: each, numeric: false } : each,
  );
  const scope = { scope: "col" };
  const element = h(
    "table",
    attributes,
    h("caption", { class: "hidden" }, caption),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ...columns.map((each) => h("th", { ...scope, class: each.numeric && "number" }, each.text)),
      ),
    ),
    h(
      "tbody",
      {},
      ...rows.map((cells) =>
        h(
          "tr",
          {},
          ...cells.map((cell, index) =>
            h(
              "td",
              {
                class: columns[index]?.numeric && "number",
                "data-label": columns[index]?.text ?? "",
              },
              cell,
            ),
          ),
        ),
      ),
    ),
  );
  return element;
}

export function time(ms: number, text: string): HTMLElement {
  const iso = new Date(ms).toISOString();
  return h("time", { datetime: iso, title: iso }, text);
}
