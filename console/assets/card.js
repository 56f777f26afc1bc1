// Draws a Feishu card (JSON 1.0, and of 2.0 what Larkfire uses) closely enough to judge it.
//
// renderCard(card) → HTMLElement. Data reaches the page as text nodes and checked links only, never as HTML.

"use strict";

const CARD_TABLE_PAGE = 10;
const CARD_COLOURS = ["blue", "wathet", "turquoise", "green", "yellow", "orange", "red", "carmine", "violet", "purple", "indigo", "grey"];

/** One line of our own making: an element with a class, and what is in it. */
function cardPart(name, className, ...children) {
  const part = document.createElement(name);
  if (className) part.className = className;
  part.append(...children);
  return part;
}

function renderCard(card) {
  const header = card.header || {};
  const colour = CARD_COLOURS.includes(header.template) ? header.template : "default";
  const root = cardPart("article", "card");
  if (header.title) {
    const head = cardPart("header", `card-header card-${colour}`, renderCardText(header.title));
    const tags = (header.text_tag_list || []).map((tag) => {
      const ground = CARD_COLOURS.includes(tag.color) ? tag.color : "grey";
      return cardPart("span", `card-tag card-${ground}`, renderCardText(tag.text));
    });
    head.append(...tags);
    if (header.subtitle) head.append(cardPart("div", "card-subtitle", renderCardText(header.subtitle)));
    root.append(head);
  }
  const body = cardPart("div", "card-body");
  const elements = card.elements || (card.body && card.body.elements) || [];
  body.append(...elements.map(renderCardElement));
  root.append(body);
  return root;
}

function renderCardElement(element) {
  switch (element && element.tag) {
    case "div": {
      const block = cardPart("div", "card-div");
      if (element.text) block.append(renderCardText(element.text));
      if (element.fields) {
        const fields = element.fields.map((field) =>
          cardPart("div", field.is_short ? "card-field card-short" : "card-field", renderCardText(field.text)));
        block.append(cardPart("div", "card-fields", ...fields));
      }
      if (element.extra) block.append(renderCardElement(element.extra));
      return block;
    }
    case "markdown":
      return cardPart("div", "card-div", renderCardMarkdown(element.content || ""));
    case "hr":
      return cardPart("hr", "card-hr");
    case "note":
      return cardPart("div", "card-note", ...(element.elements || []).map(renderCardText));
    case "action":
      return cardPart("div", "card-action", ...(element.actions || []).map(renderCardElement));
    case "button":
      return renderCardButton(element);
    case "column_set": {
      const columns = (element.columns || []).map((column) => {
        const part = cardPart("div", "card-column", ...(column.elements || []).map(renderCardElement));
        part.style.flexGrow = column.width === "auto" ? "0" : String(Number(column.weight) || 1);
        return part;
      });
      return cardPart("div", "card-columns", ...columns);
    }
    case "collapsible_panel":
      return renderCardPanel(element);
    case "table":
      return renderCardTable(element);
    case "img":
      return cardPart("div", "card-unknown", `🖼 ${(element.alt && element.alt.content) || ""}`);
    case "plain_text":
    case "lark_md":
      return renderCardText(element);
    default:
      return cardPart("div", "card-unknown", `‹${(element && element.tag) || "?"}›`);
  }
}

function renderCardPanel(panel) {
  const title = (panel.header && panel.header.title) || {};
  const part = cardPart("details", "card-panel", cardPart("summary", "", renderCardText(title)));
  part.open = Boolean(panel.expanded);
  part.append(cardPart("div", "card-panel-body", ...(panel.elements || []).map(renderCardElement)));
  return part;
}

/** A page of the rows at a time, as clients show them. */
function renderCardTable(table) {
  const columns = table.columns || [];
  const rows = table.rows || [];
  const size = Math.min(table.page_size || 5, CARD_TABLE_PAGE);
  const head = cardPart("tr", "", ...columns.map((column) => cardPart("th", "", column.display_name || "")));
  const body = cardPart("tbody", "");
  const turner = cardPart("div", "card-pages");
  const show = (page) => {
    const shown = rows.slice(page * size, (page + 1) * size);
    body.replaceChildren(...shown.map((row) =>
      cardPart("tr", "", ...columns.map((column) => cardPart("td", "", String(row[column.name] ?? ""))))));
    const turn = (label, to) => {
      const button = cardPart("button", "", label);
      button.type = "button";
      button.disabled = to < 0 || to * size >= rows.length;
      button.onclick = () => show(to);
      return button;
    };
    turner.replaceChildren(turn("‹", page - 1), `${page + 1} / ${Math.ceil(rows.length / size)}`, turn("›", page + 1));
  };
  show(0);
  const part = cardPart("div", "card-table", cardPart("table", "", cardPart("thead", "", head), body));
  if (rows.length > size) part.append(turner);
  return part;
}

function renderCardButton(button) {
  const kind = ["primary", "danger"].includes(button.type) ? button.type : "default";
  const url = button.url || (button.multi_url && button.multi_url.url)
    || (button.behaviors || []).map((behaviour) => behaviour.default_url).find(Boolean);
  const part = cardPart(url ? "a" : "span", `card-button card-button-${kind}`, renderCardText(button.text));
  if (url) linkTo(part, url);
  return part;
}

function renderCardText(text) {
  if (!text) return document.createTextNode("");
  if (text.tag === "lark_md" || text.tag === "markdown") return renderCardMarkdown(text.content || "");
  const look = text.text_size === "notation" ? "card-plain card-notation" : "card-plain";
  return cardPart("span", look, text.content || "");
}

/** Only web pages are linked; the page is told nothing about where the reader came from. */
function linkTo(anchor, url) {
  if (!/^https?:\/\//i.test(url)) return;
  anchor.href = url;
  anchor.title = url;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
}

// What lark_md knows, in the order it is looked for. Each takes its match and returns a node.
const CARD_MARKS = [
  [/^&#(\d{1,7});/, (found) => document.createTextNode(codePoint(Number(found[1])))],
  [/^&(lt|gt|amp|quot|nbsp|ensp|emsp|sim);/, (found) => document.createTextNode(CARD_ENTITIES[found[1]])],
  [/^<at\s+(?:id|user_id|email|ids)=["']?([^"'>\s]*)["']?\s*>(?:([^<]*)<\/at>)?/i,
    (found) => cardPart("span", "card-at", `@${found[1] === "all" ? "all" : found[2] || found[1]}`)],
  [/^<font\s+color=["']?([a-z]+)["']?\s*>([\s\S]*?)<\/font>/i,
    (found) => cardPart("span", `card-font-${["red", "green", "grey"].includes(found[1]) ? found[1] : "plain"}`, renderCardMarkdown(found[2]))],
  [/^<a\s+href=["']?([^"'>\s]*)["']?\s*>([^<]*)<\/a>/i, (found) => cardLink(found[2] || found[1], found[1])],
  [/^\[([^\]\n]+)\]\(([^)\s]+)\)/, (found) => cardLink(found[1], found[2])],
  [/^\*\*([^\n]+?)\*\*/, (found) => cardPart("strong", "", renderCardMarkdown(found[1]))],
  [/^~~([^\n]+?)~~/, (found) => cardPart("del", "", renderCardMarkdown(found[1]))],
  [/^\*([^*\n]+)\*/, (found) => cardPart("em", "", renderCardMarkdown(found[1]))],
];
const CARD_ENTITIES = { lt: "<", gt: ">", amp: "&", quot: "\"", nbsp: "\u00a0", ensp: "\u2002", emsp: "\u2003", sim: "∼" };

function codePoint(number) {
  return number > 0 && number <= 0x10ffff ? String.fromCodePoint(number) : "\ufffd";
}

function cardLink(text, url) {
  const anchor = cardPart("a", "card-link", renderCardMarkdown(text));
  linkTo(anchor, url);
  return anchor;
}

function renderCardMarkdown(source) {
  const part = cardPart("span", "card-markdown");
  let plain = "";
  let rest = source;
  while (rest) {
    let matched = null;
    // Letters and digits begin no mark: most characters are done with here.
    if (/[&<[*~]/.test(rest[0])) {
      matched = CARD_MARKS.map(([pattern, draw]) => [pattern.exec(rest), draw]).find(([found]) => found);
    }
    if (matched) {
      part.append(plain, matched[1](matched[0]));
      plain = "";
      rest = rest.slice(matched[0][0].length);
    } else {
      plain += rest[0];
      rest = rest.slice(1);
    }
  }
  part.append(plain);
  return part;
}
