"use strict";
// Filters over lists that are complete without it.
for (const box of document.querySelectorAll("[data-filter]")) {
  const fields = [...box.querySelectorAll("input, select")];
  const list = document.getElementById(box.dataset.filter);
  const rows = [...list.querySelectorAll("[data-row]")];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const said = box.querySelector("output");
  const apply = () => {
    let shown = 0;
    for (const row of rows) {
      const fits = fields.every((field) => {
        const wanted = field.value.trim().toLowerCase();
        if (!wanted) return true;
        return field.tagName === "SELECT" ? row.dataset[field.name] === field.value : texts.get(row).includes(wanted);
      });
      row.hidden = !fits;
      shown += fits;
    }
    const asked = fields.some((field) => field.value.trim());
    for (const group of list.querySelectorAll("details[data-group]")) {
      const left = group.querySelectorAll("[data-row]:not([hidden])").length;
      group.hidden = !left;
      if (asked && left) group.open = true;
    }
    said.textContent = asked ? `${shown} of ${rows.length}` : "";
  };
  fields.forEach((field) => field.addEventListener("input", apply));
  box.hidden = false;
}
// A link into something closed opens it.
const reveal = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  for (let place = target; place; place = place.parentElement) if (place.tagName === "DETAILS") place.open = true;
  if (target) target.scrollIntoView({ block: "center" });
};
addEventListener("hashchange", reveal);
reveal();
