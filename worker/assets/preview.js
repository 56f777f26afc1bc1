// Fetches the newest cards every other second and draws them when they have changed.

"use strict";

const EVERY_MS = 2000;
const cards = document.getElementById("cards");
const state = document.getElementById("state");
let drawn = null;

function shown({ at, card }) {
  const when = document.createElement("time");
  when.dateTime = at;
  when.textContent = new Date(at).toLocaleString();
  const section = document.createElement("section");
  section.className = "shown";
  section.append(when, renderCard(card));
  return section;
}

async function refresh() {
  try {
    const answer = await fetch("/preview/cards.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const text = await answer.text();
    state.textContent = "";
    if (text !== drawn) {
      const newest = JSON.parse(text);
      const empty = document.getElementById("empty").content.cloneNode(true);
      cards.replaceChildren(...(newest.length ? newest.map(shown) : [empty]));
      drawn = text;
    }
  } catch (error) {
    state.textContent = `Not reachable (${error.message}); what is below may be out of date.`;
  }
  setTimeout(refresh, EVERY_MS);
}

refresh();
