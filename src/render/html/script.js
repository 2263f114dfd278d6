"use strict";
// Without this script, the page shows everything at full length. It adds search, filters, paging and rows that open.
// Values are inserted as text, never as markup.
(() => {
  const PAGE = 100, PINNED = 1000;
  const bar = document.getElementById("bar");
  if (!bar) return;
  const [find, status, all, unfold] = ["find", "status", "all", "unfold"].map((id) => document.getElementById(id));
  const boxes = [...bar.querySelectorAll("input[name=kind]")];

  let parsed;
  const details = () => (parsed ??= JSON.parse(document.getElementById("details").textContent));

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
  const named = (li) => [...li.querySelectorAll(":scope > .row .pipe, :scope > .row .title")];
  const text = (row) => (row.text ??= fold(named(row.li).map((it) => it.textContent).join(" ") || row.li.textContent));
  const detail = (row) => ("d" in row.li.dataset ? details().items[row.li.dataset.d] : null);
  const users = (row) => {
    const { new: added = [], again = [], newly_removed: left = [], previously_removed: released = [] } = detail(row) ?? {};
    return [...[...added, ...again].map(([, , users]) => users), left, released];
  };
  const hasUser = (row, user) => users(row).some((users) => users.includes(user));
  const name = (user) => details().names[user];
  // Only whole ids are found, so a name is searched without its id.
  const names = (row) => (row.names ??= fold(users(row).flat().map((user) => (name(user) ?? "").replace(/ \(\d+\)$/, "")).join(" ")));
  const words = () =>
    fold(find.value).split(/\s+/).filter(Boolean).map((word) => {
      // Ids stay strings: large ones would be rounded as numbers.
      const user = /^(user:)?0*(\d{1,20})$/.exec(word);
      return { word, user: user && user[2], only: Boolean(user?.[1]) };
    });
  const matches = (row, wanted) =>
    wanted.every(({ word, user, only }) => (!only && (text(row).includes(word) || names(row).includes(word))) || (user !== null && hasUser(row, user)));

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
    const button = (by, all) => make("button", { type: "button", textContent: `Show ${all}${by} more`, onclick: () => more(part, by) });
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
    status.textContent = !filtered ? count(total, "line") : found ? `${found} of ${count(total, "line")}` : `No match in ${count(total, "line")}`;
  };
  const reset = () => {
    find.value = "";
    for (const box of boxes) box.checked = false;
    show();
  };

  // Rows that can be opened.
  const enhance = (row) => {
    if (row.button || !("d" in row.li.dataset)) return;
    const pipe = row.li.querySelector(":scope > .row > .pipe");
    if (!pipe) return;
    row.button = make("button", { type: "button", className: "open" });
    row.button.setAttribute("aria-expanded", "false");
    row.button.setAttribute("aria-controls", `d${row.li.dataset.d}`);
    pipe.replaceWith(row.button);
    row.button.append(pipe);
    row.li.classList.add("foldable");
    row.li.addEventListener("click", (event) => {
      const line = event.target.closest(".row");
      if (line && (event.target.closest(".open") || getSelection().isCollapsed)) open(row, !isOpen(row));
    });
  };
  const isOpen = (row) => Boolean(row.detail);
  const open = (row, wanted) => {
    row.detail?.remove();
    row.detail = wanted ? panel(row, detail(row)) : null;
    if (wanted) row.li.append(row.detail);
    row.button.setAttribute("aria-expanded", String(wanted));
  };

  // What is in an open row.
  const panel = (row, it) => {
    const list = make("dl", { className: "detail", id: `d${row.li.dataset.d}` });
    const entry = (name, ...value) => list.append(make("dt", { textContent: name }), make("dd", {}, ...value));
    const sides = row.li.querySelectorAll(":scope > .row .side");
    if (sides.length === 2) {
      entry("Title before", sides[0].cloneNode(true));
      entry("Title after", sides[1].cloneNode(true));
    }
    for (const [name, before, after] of it.fields ?? []) entry(name, `${before} → ${after}`);
    if (it.new) entry("Members to add", origins(it.new));
    if (it.again) entry("Sent again", origins(it.again));
    if (it.rest) entry("Also declared", rest(it.rest));
    if (it.newly_removed) entry("Remove", ids(it.newly_removed.map((user) => [user])));
    if (it.previously_removed) entry("Removed earlier", ids(it.previously_removed.map((user) => [user])));
    if (it.welcome) entry(`Welcome from ${name(it.welcome[0]) ?? it.welcome[0]}`, make("bdi", { className: "title", textContent: it.welcome[1] }));
    if (it.room) entry("Room", make("span", { className: "ids", textContent: `${it.room}` }));
    const at = row.li.querySelector(":scope > .row > .at");
    if (at) entry("Declared at", at.cloneNode(true));
    return list;
  };
  const place = (file, line) => make("bdi", { className: "at", textContent: line ? `${details().files[file]}:${line}` : details().files[file] });
  const ids = (users) => {
    const sought = new Set(words().map(({ user }) => user));
    const one = ([user, line]) => {
      const shown = { textContent: name(user) ?? user };
      const id = sought.has(user) ? make("mark", shown) : name(user) ? make("bdi", shown) : user;
      return make("span", {}, id, ...(line ? [make("small", { textContent: ` row ${line}` })] : []));
    };
    return make("span", { className: "ids" }, ...users.flatMap((it) => [one(it), " "]));
  };
  // Members by where they come from: a line of a manifest with its users, a roster with each user's row.
  const origins = (groups) => {
    const rosters = new Map();
    const list = make("ul", { className: "origins" });
    for (const [file, line, users] of groups) {
      if (!details().rosters.includes(file)) {
        list.append(make("li", {}, place(file, line), ids(users.map((user) => [user]))));
        continue;
      }
      if (!rosters.has(file)) {
        const li = make("li", {}, place(file, 0));
        list.append(li);
        rosters.set(file, { li, users: [] });
      }
      rosters.get(file).users.push(...users.map((user) => [user, line]));
    }
    for (const { li, users } of rosters.values()) li.append(ids(users));
    return list;
  };
  const rest = (groups) => {
    const items = groups.map(([file, line, n]) => make("li", {}, place(file, line), make("span", { textContent: `${count(n, "member")}; nothing is sent for ${n === 1 ? "it" : "them"}` })));
    return make("ul", { className: "origins" }, ...items);
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
    const wanted = shown.some((row) => !isOpen(row));
    for (const row of shown) open(row, wanted);
    unfold.textContent = wanted ? "Close all" : "Open all";
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const row = parts.flatMap((part) => part.rows).find((row) => row.button && row.li.contains(event.target));
    if (row && isOpen(row)) {
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
  unfold.hidden = !document.querySelector("li[data-d]");
  show();
})();
