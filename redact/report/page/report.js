"use strict";
// Sorting of tables and the filter by verdict. The page is whole without this.
(() => {
  const number = (text) => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : null);
  const keyOf = (cell) => cell.dataset.key ?? cell.textContent.trim();
  const compare = (a, b) => {
    const x = number(a), y = number(b);
    return x !== null && y !== null ? x - y : a.localeCompare(b, "en");
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => compare(keyOf(a.cells[column]), keyOf(b.cells[column])) * (down ? -1 : 1));
        table.tBodies[0].append(...rows);
      });
    });
  }

  const filter = document.getElementById("filter");
  const said = document.getElementById("said");
  const buttons = [...filter.querySelectorAll("button")];
  const show = (wanted) => {
    for (const part of document.querySelectorAll("[data-standing]")) {
      part.classList.toggle("away", wanted !== "" && part.dataset.standing !== wanted);
    }
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.show === wanted));
    const rows = [...document.querySelectorAll("tr[data-standing]")];
    const left = rows.filter((row) => !row.classList.contains("away")).length;
    said.textContent = wanted === "" ? "" : `${left} of ${rows.length} items shown`;
  };
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.show));
  // a link to an item that is filtered away must lead to it
  addEventListener("hashchange", () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target?.classList.contains("away")) {
      show("");
      target.scrollIntoView();
    }
  });
  filter.hidden = buttons.length < 3;
})();
