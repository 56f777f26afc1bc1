// What the pages can do by themselves. All of it is extra: they are read, and act, without it.
"use strict";
(() => {
  const main = document.getElementById("main");
  const language = document.documentElement.lang;
  const chinese = language.startsWith("zh");

  // Times as how long ago they were; the title keeps the whole.
  const steps = [[60, "second"], [60, "minute"], [24, "hour"], [Infinity, "day"]];
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const ago = (at) => {
    let left = Math.round((at - Date.now()) / 1000);
    if (Math.abs(left) < 2) return chinese ? "刚刚" : "now";
    for (const [size, unit] of steps) {
      if (Math.abs(left) < size) return words.format(left, unit);
      left = Math.round(left / size);
    }
    return "";
  };
  const tellTimes = (root) => {
    for (const time of root.querySelectorAll("time")) {
      time.dataset.text ??= time.textContent;
      time.textContent = ago(Date.parse(time.dateTime)) || time.dataset.text;
    }
  };

  // Cards as Feishu shows them. What is no card stays away: its JSON is on the page as well.
  const drawCards = () => {
    for (const place of main.querySelectorAll("[data-card]:empty")) {
      try {
        place.append(renderCard(JSON.parse(place.dataset.card)));
      } catch {
        place.remove();
      }
    }
  };

  // One tree is made like another, so that focus, selection and what is open stay where they are.
  const alike = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id || "") === (other.id || "");
  const morph = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.isEqualNode(fresh) || old.hasAttribute("data-keep")) return;
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const wanted = [...fresh.childNodes];
    wanted.forEach((node, at) => {
      const there = old.childNodes[at];
      if (!there) old.append(document.importNode(node, true));
      else if (alike(there, node)) morph(there, node);
      else there.replaceWith(document.importNode(node, true));
    });
    while (old.childNodes.length > wanted.length) old.lastChild.remove();
  };

  // The same address again, now and then: not while nobody looks, while something is chosen or written, or while it is paused.
  const pause = document.querySelector("[data-pause]");
  const every = Number(main.dataset.refresh || 0) * 1000;
  let wait = every;
  let tag = null;
  const isPaused = () => sessionStorage.getItem("paused") === "1";
  const isBusy = () => document.hidden || isPaused() || main.querySelector("input[type=checkbox]:checked, dialog[open]")
    || (main.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.nodeName));
  const refresh = async () => {
    try {
      const answer = await fetch(location.href, { headers: tag ? { "if-none-match": tag } : {}, cache: "no-store" });
      if (answer.status === 429 || answer.status === 503) wait = Math.min(wait * 2, 60_000);
      else if (answer.ok) {
        wait = every;
        tag = answer.headers.get("etag");
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("main");
        if (fresh && !isBusy()) {
          tellTimes(fresh);
          morph(main, fresh);
          drawCards();
          document.title = page.title;
        }
      } else if (answer.status === 304) wait = every;
      main.classList.toggle("stale", !answer.ok && answer.status !== 304);
    } catch {
      wait = Math.min(wait * 2, 60_000);
      main.classList.add("stale");
    }
  };
  const loop = async () => {
    if (!main.dataset.refresh) return;
    if (!isBusy()) await refresh();
    tellTimes(main);
    setTimeout(loop, wait * (0.9 + Math.random() * 0.2));
  };
  if (every) {
    setTimeout(loop, every);
    const name = () => (pause.textContent = isPaused() ? pause.dataset.off : pause.dataset.on);
    pause.hidden = false;
    name();
    pause.addEventListener("click", () => {
      sessionStorage.setItem("paused", isPaused() ? "0" : "1");
      name();
    });
  } else setInterval(() => tellTimes(main), 15_000);
  tellTimes(document);
  drawCards();

  // Several are chosen with shift; the buttons say how many.
  const boxes = () => [...main.querySelectorAll("tbody input[type=checkbox]")];
  const chosen = () => boxes().filter((box) => box.checked).length;
  let last = null;
  const tellChosen = () => {
    const many = chosen();
    for (const node of main.querySelectorAll("[data-chosen]")) node.textContent = node.dataset.chosen.replace("{}", many);
    for (const button of main.querySelectorAll("[data-needs-chosen]")) button.disabled = many === 0;
    for (const form of main.querySelectorAll("[data-unless-chosen]")) form.hidden = many > 0;
    for (const box of boxes()) box.closest("tr").classList.toggle("chosen", box.checked);
  };
  main.addEventListener("click", (event) => {
    const box = event.target;
    if (box.matches("[data-all]")) for (const one of boxes()) one.checked = box.checked;
    else if (box.matches("tbody input[type=checkbox]")) {
      const all = boxes();
      const [from, to] = [all.indexOf(last), all.indexOf(box)];
      if (event.shiftKey && from >= 0) {
        for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
      }
      last = box;
    } else if (box.matches("[data-copy]")) {
      navigator.clipboard?.writeText(box.dataset.copy).then(() => (box.textContent = chinese ? "已复制" : "copied"));
    } else return;
    tellChosen();
  });
  tellChosen();

  // Keys: none acts, and none counts while something is written.
  const help = document.getElementById("keys");
  let at = -1;
  const rows = () => [...main.querySelectorAll("tbody tr")];
  const go = (by) => {
    const all = rows();
    if (!all.length) return;
    all[at]?.classList.remove("cursor");
    at = Math.max(0, Math.min(all.length - 1, at + by));
    all[at].classList.add("cursor");
    all[at].scrollIntoView({ block: "nearest" });
  };
  const keys = {
    "/": () => main.querySelector("input[type=search]")?.focus(),
    j: () => go(1),
    k: () => go(-1),
    x: () => rows()[at]?.querySelector("input[type=checkbox]")?.click(),
    Enter: () => rows()[at]?.querySelector("a")?.click(),
    r: () => pause?.click(),
    "?": () => help.showModal(),
  };
  const opener = document.querySelector("[data-keys]");
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|TEXTAREA|SELECT|BUTTON|A|SUMMARY)$/.test(event.target.nodeName) && event.target.type !== "checkbox") return;
    const act = keys[event.key];
    if (!act || (event.key === "Enter" && at < 0) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    act();
  });
})();
