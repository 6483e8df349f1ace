// What the page does beyond what it says: it stays live, previews a query while it is typed, and obeys keys.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// --- times in the reader's zone ---

const sameDay = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const otherDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

function localTimes(root) {
  for (const time of $$("time[datetime]", root)) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const today = at.toDateString() === new Date().toDateString();
    time.textContent = (today ? sameDay : otherDay).format(at);
  }
}

function parsed(html) {
  return new DOMParser().parseFromString(html, "text/html").body;
}

// --- live ---

const rows = $("#rows[data-live]");
let source = null;
let last = "";

function listen() {
  if (source || !$("#status")) return;
  const address = new URL(rows ? rows.dataset.live : "/live", location.href);
  if (last) address.searchParams.set("after", last);
  source = new EventSource(address);
  source.addEventListener("open", () => sayLive(true));
  source.addEventListener("error", () => sayLive(false));
  source.addEventListener("status", (event) => $("#status").replaceChildren(...parsed(event.data).children));
  source.addEventListener("row", (event) => { last = event.lastEventId; arrive(parsed(event.data).firstElementChild); });
}

function sayLive(on) {
  const live = $("#live");
  if (!live) return;
  live.textContent = on ? "Live" : "Not live, trying again";
  live.classList.toggle("on", on);
}

function arrive(row) {
  const known = $$(".row", rows).find((each) => each.dataset.article === row.dataset.article);
  localTimes(row);
  if (known) {
    const more = $$(".rule", row).length > $$(".rule", known).length;
    if (more) known.replaceWith(row);
    return;
  }
  row.classList.add("new");
  $("#nothing")?.remove();
  const older = $$(".row", rows).find((each) => each.dataset.seen <= row.dataset.seen);
  rows.insertBefore(row, older ?? null);
  for (const each of $$(".row", rows).slice(500)) each.remove();
}

// A browser has six connections to a host, however many tabs there are: a tab that nobody sees lets go of its own.
function mind() {
  if (document.visibilityState === "visible") return listen();
  source?.close();
  source = null;
}

// --- the editor ---

const editor = $("#editor");

function showPlace(query, backdrop, answer) {
  const failed = $("[data-position]", answer);
  const text = query.value;
  backdrop.replaceChildren();
  query.setAttribute("aria-invalid", failed ? "true" : "false");
  if (!failed) return;
  // Positions count characters, strings here count UTF-16 units.
  const characters = [...text];
  const start = Number(failed.dataset.position);
  const end = start + Number(failed.dataset.length);
  const mark = document.createElement("mark");
  mark.textContent = characters.slice(start, end).join("") || " ";
  backdrop.append(characters.slice(0, start).join(""), mark, characters.slice(end).join("") + "\n");
  backdrop.scrollTop = query.scrollTop;
}

function edit() {
  const query = $("#query");
  const backdrop = $(".backdrop", editor);
  const answer = $("#answer");
  let waiting = 0;
  let asked = null;
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    try {
      const response = await fetch("/editor/try", { method: "POST", body: new URLSearchParams(new FormData(editor)), signal: asked.signal });
      if (response.redirected || !response.ok) return;
      answer.replaceChildren(...parsed(await response.text()).childNodes);
      localTimes(answer);
      showPlace(query, backdrop, answer);
    } catch (error) {
      if (error.name !== "AbortError") answer.textContent = "No answer; it is asked again when you type.";
    }
  };
  editor.addEventListener("input", (event) => {
    if (event.target === query) backdrop.replaceChildren();
    clearTimeout(waiting);
    waiting = setTimeout(ask, 250);
  });
  editor.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    $("#save").click();
  });
  query.addEventListener("scroll", () => { backdrop.scrollTop = query.scrollTop; });
  if (query.value.trim()) showPlace(query, backdrop, answer);
}

// --- keys ---

function move(step) {
  const all = $$(".row, tr[tabindex]");
  const at = all.indexOf(document.activeElement?.closest(".row, tr[tabindex]"));
  all[Math.max(0, Math.min(all.length - 1, at + step))]?.focus();
}

const here = (selector) => $(selector, document.activeElement?.closest(".row, tr[tabindex]") ?? document.createElement("i"));
let going = false;

const keys = {
  j: () => move(1),
  k: () => move(-1),
  o: () => here("a.open, a")?.click(),
  w: () => here("a.why")?.click(),
  "/": () => $("[data-search]")?.focus(),
  "?": () => $("#keys").showModal(),
  g: () => { going = true; setTimeout(() => { going = false; }, 1500); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const link = going ? $(`[data-go="${CSS.escape(event.key)}"]`) : null;
  going = false;
  const act = link ? () => link.click() : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// A narrow screen has its filters folded, unless some are used.
const folded = $("#filters details");
if (folded && matchMedia("(max-width: 60rem)").matches && !$("#filters .button")) folded.open = false;

localTimes(document);
if (editor) edit();
document.addEventListener("visibilitychange", mind);
window.addEventListener("pagehide", () => { source?.close(); source = null; });
window.addEventListener("pageshow", mind);
mind();
