// Fetches the newest cards every other second and draws them when they have changed.

"use strict";

const EVERY_MS = 2000;
const cards = document.getElementById("cards");
const state = document.getElementById("state");
const formats = document.getElementById("formats");
let drawn = null;

function formatOf(card) {
  return card.schema || "1.0";
}

/** The card in the chosen format, if there is one; else as it is configured. */
function shown({ at, card, other }) {
  const wanted = new FormData(formats).get("format");
  const chosen = [card, other].find((one) => one && formatOf(one) === wanted) || card;
  const bytes = new TextEncoder().encode(JSON.stringify(chosen)).length;
  const when = document.createElement("time");
  when.dateTime = at;
  when.textContent = `${new Date(at).toLocaleString()} · JSON ${formatOf(chosen)} · ${bytes} bytes`;
  const section = document.createElement("section");
  section.className = "shown";
  section.append(when, renderCard(chosen));
  return section;
}

function draw(text) {
  const newest = JSON.parse(text);
  const empty = document.getElementById("empty").content.cloneNode(true);
  cards.replaceChildren(...(newest.length ? newest.map(shown) : [empty]));
  drawn = text;
}

async function refresh() {
  try {
    const answer = await fetch("/preview/cards.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const text = await answer.text();
    state.textContent = "";
    if (text !== drawn) draw(text);
  } catch (error) {
    state.textContent = `Not reachable (${error.message}); what is below may be out of date.`;
  }
  setTimeout(refresh, EVERY_MS);
}

formats.addEventListener("change", () => drawn && draw(drawn));
refresh();
