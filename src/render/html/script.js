"use strict";
// Without this script, the page shows everything at full length. It adds search, filters, paging and rows that open.
(() => {
  const PAGE = 100, PINNED = 1000;
  const bar = document.getElementById("bar");
  if (!bar) return;
  const [find, status, all, unfold] = ["find", "status", "all", "unfold"].map((id) => document.getElementById(id));
  const boxes = [...bar.querySelectorAll("input[name=kind]")];

  // Elements.
  const make = (name, props = {}, ...children) => {
    const element = Object.assign(document.createElement(name), props);
    element.append(...children);
    return element;
  };
  const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

  const parts = [...document.querySelectorAll("section[data-kind]")].map((section) => ({
    section,
    kind: section.dataset.kind,
    count: section.querySelector("h2 .n"),
    page: "closed" in section.dataset ? 0 : "pinned" in section.dataset ? PINNED : PAGE,
    rows: [...section.querySelectorAll(":scope > ul > li")].map((li) => ({ li })),
    found: [],
    shown: 0,
    more: section.appendChild(make("div", { className: "more" })),
  }));
  const total = parts.reduce((sum, part) => sum + part.rows.length, 0);

  // Search: every word must be in the pipe, the title or the name of a user, or be a user's id.
  const fold = (text) => text.normalize("NFC").toLowerCase();
  const named = (li) => [...li.querySelectorAll(".pipe, .title")];
  const text = (row) => (row.text ??= fold(named(row.li).map((it) => it.textContent).join(" ") || row.li.textContent));
  const users = (row) => (row.users ??= (row.li.dataset.u ?? "").split(" "));
  // Only whole ids are found, so a name is searched without its id.
  const ids = / ?\(\d+\)( row \d+)?(?=, |$)|(^|, )\d+( row \d+)?(?=, |$)/gm;
  const names = (row) => (row.names ??= fold((row.li.querySelector(".panel") ?? row.li.querySelector(".words")).textContent.replace(/^.*?: /gm, "").replace(ids, "")));
  const words = () =>
    fold(find.value).split(/\s+/).filter(Boolean).map((word) => {
      // Ids stay strings: large ones would be rounded as numbers.
      // An id may be in parentheses, as outputs show it.
      const user = /^(user:|\()?0*(\d{1,20})\)?,?$/.exec(word);
      return { word, user: user && user[2], only: Boolean(user?.[1]) };
    });
  const matches = (row, wanted) =>
    wanted.every(({ word, user, only }) => (!only && (text(row).includes(word) || names(row).includes(word))) || (user !== null && users(row).includes(user)));

  // What is shown.
  const paint = (part) => {
    const visible = new Set(part.found.slice(0, part.shown));
    for (const row of part.rows) {
      const hidden = !visible.has(row);
      if (row.li.hidden !== hidden) row.li.hidden = hidden;
      if (!hidden) enhance(row);
    }
    const [found, rows] = [part.found.length, part.rows.length];
    part.section.hidden = found === 0;
    part.count.textContent = found === rows ? `${rows}` : `${found} of ${rows}`;
    const left = found - visible.size;
    const next = Math.min(left, PAGE);
    const button = (by, all) => make("button", { type: "button", textContent: `Show ${all}${by}${visible.size ? " more" : ""}`, onclick: () => more(part, by) });
    part.more.hidden = left === 0;
    part.more.replaceChildren(button(next, ""), ...(left > next ? [button(left, "all ")] : []));
  };
  const more = (part, by) => {
    const first = part.found[part.shown];
    part.shown += by;
    paint(part);
    const target = first.button ?? first.li;
    if (target === first.li) target.tabIndex = -1;
    target.focus();
  };
  const show = () => {
    const wanted = words();
    const kinds = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const filtered = wanted.length > 0 || kinds.size > 0;
    let found = 0;
    for (const part of parts) {
      const on = kinds.size === 0 || kinds.has(part.kind);
      part.found = on ? part.rows.filter((row) => matches(row, wanted)) : [];
      part.shown = filtered ? Math.max(part.page, PAGE) : part.page;
      found += part.found.length;
      paint(part);
    }
    all.hidden = !filtered;
    status.textContent = !filtered ? "" : found ? `${found} of ${count(total, "line")}` : `No match in ${count(total, "line")}`;
  };
  const reset = () => {
    find.value = "";
    for (const box of boxes) box.checked = false;
    show();
  };

  // Rows that open.
  const enhance = (row) => {
    const [pipe, panel] = [".pipe", ".panel"].map((name) => row.li.querySelector(name));
    if (row.button || !panel) return;
    row.panel = panel;
    row.button = make("button", { type: "button", className: "open" });
    pipe.replaceWith(row.button);
    row.button.append(pipe);
    row.li.classList.add("foldable");
    open(row, false);
    row.li.addEventListener("click", (event) => {
      const line = event.target.closest(".row");
      if (line && (event.target.closest(".open") || getSelection().isCollapsed)) open(row, row.panel.hidden);
    });
  };
  const open = (row, wanted) => {
    row.panel.hidden = !wanted;
    row.button.setAttribute("aria-expanded", String(wanted));
  };

  // Keys and clicks.
  bar.addEventListener("submit", (event) => event.preventDefault());
  bar.addEventListener("input", show);
  all.addEventListener("click", () => {
    reset();
    find.focus();
  });
  unfold.addEventListener("click", () => {
    const shown = parts.flatMap((part) => part.found.slice(0, part.shown)).filter((row) => row.button);
    const wanted = shown.some((row) => row.panel.hidden);
    for (const row of shown) open(row, wanted);
    unfold.textContent = wanted ? "Close all" : "Open all";
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const row = parts.flatMap((part) => part.rows).find((row) => row.button && row.li.contains(event.target));
    if (row && !row.panel.hidden) {
      open(row, false);
      row.button.focus();
    } else if (find.value || boxes.some((box) => box.checked)) {
      reset();
      find.focus();
    } else {
      return;
    }
    event.preventDefault();
  });
  // Paper has no buttons: everything found is printed.
  addEventListener("beforeprint", () => parts.forEach((part) => paint(Object.assign(part, { shown: Infinity }))));

  bar.hidden = false;
  unfold.hidden = !document.querySelector(".panel");
  show();
})();
