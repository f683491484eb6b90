"use strict";
// Headings of .sortable tables sort them: by number where the cells carry one, else by their text.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const order = Array.from(body.rows);
  table.querySelectorAll("thead button").forEach((button, column) => {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const before = head.getAttribute("aria-sort");
      const next = before === "ascending" ? "descending" : before === "descending" ? "" : "ascending";
      table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
      const rows = Array.from(order);
      if (next) {
        head.setAttribute("aria-sort", next);
        const sign = next === "ascending" ? 1 : -1;
        rows.sort((a, b) => compare(a.cells[column], b.cells[column], sign));
      }
      body.append(...rows);
    });
  });
}

function compare(a, b, sign) {
  const [x, y] = [a.dataset.value, b.dataset.value];
  if (x === undefined || y === undefined) {
    return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
  }
  if (x === "" || y === "") {
    return (x === "") - (y === ""); // what is not known comes last
  }
  return sign * (Number(x) - Number(y));
}
