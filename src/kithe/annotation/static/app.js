"use strict";
// Keys, drafts and saving without a page of errors where the server is away. Everything also works as plain forms.
const form = document.querySelector("form.card");
const typing = () => document.activeElement instanceof HTMLTextAreaElement;
const go = (id) => document.getElementById(id)?.click();
let shown = -1;

const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

function evidence(behavior = still ? "instant" : "smooth") {
  const marks = [...document.querySelectorAll("mark")];
  if (!marks.length) return;
  shown = (shown + 1) % marks.length;
  marks[shown].scrollIntoView({ block: "center", behavior });
}

function draft(action) {
  const name = "kithe:" + form.dataset.draft;
  try {
    if (action === "drop") sessionStorage.removeItem(name);
    if (action === "keep") sessionStorage.setItem(name, JSON.stringify([...new FormData(form)]));
    if (action === "take") return JSON.parse(sessionStorage.getItem(name) ?? "[]");
  } catch { /* a browser without storage keeps no drafts */ }
  return [];
}

function restore() {
  for (const [name, value] of draft("take")) {
    if (name === "note") form.elements.note.value = value;
    for (const input of form.querySelectorAll("input[type=radio]")) if (input.name === name && input.value === value) input.checked = true;
  }
}

function tell(text) {
  document.getElementById("problem").textContent = text;
}

async function save(event) {
  event.preventDefault();
  const buttons = form.querySelectorAll("button");
  const body = new URLSearchParams(new FormData(form, event.submitter));
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.problem);
    draft("drop");
    location.assign(said.next);
  } catch (error) {
    const away = error instanceof TypeError;
    tell(away ? "Not saved: the server does not answer. Your answer is kept on this page; try again in a moment." : "Not saved: " + error.message);
    buttons.forEach((button) => { button.disabled = false; });
  }
}

function press(event) {
  if (event.ctrlKey && event.key === "Enter" && form) { event.preventDefault(); go("save"); return; }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing()) { if (event.key === "Escape") document.activeElement.blur(); return; }
  if (event.key.startsWith("Arrow") && document.activeElement instanceof HTMLInputElement) return;
  const keyed = form && /^[1-9a]$/.test(event.key) ? form.querySelector(`[data-key="${event.key}"]`) : null;
  const named = { ArrowLeft: () => go("before"), ArrowRight: () => go("after"), e: () => evidence(), l: () => location.assign("/list"),
    n: () => form?.elements.note.focus(), Enter: () => go("save") }[event.key];
  if (!keyed && (!named || (event.key === "Enter" && document.activeElement.matches("a, button, summary")))) return;
  event.preventDefault();
  if (keyed) { keyed.click(); keyed.blur(); } else named();
}

document.addEventListener("keydown", press);
if (form) {
  restore();
  form.addEventListener("change", () => { draft("keep"); tell(""); });
  form.addEventListener("input", () => draft("keep"));
  form.addEventListener("submit", save);
  const first = document.querySelector("mark");
  if (first && first.getBoundingClientRect().bottom > form.getBoundingClientRect().top && first.getBoundingClientRect().top > innerHeight * 0.4) evidence("instant");
}
