// The live page: asks the API, draws, and keeps what is shown in the address.
import { csv, joined, logReturns, ratio, rebased, rollingCorrelation } from "./measures.js";
import { WORDS } from "./words.js";

const byId = (id) => document.getElementById(id);
const looks = byId("looks"), asked = byId("asked");
const query = new URLSearchParams(location.search);
const saved = { lang: navigator.language.startsWith("zh") ? "zh" : "en", theme: "auto", up: "red" };
const [WIDE, HIGH] = [960, 400];  // of a chart that leaves the page, without its words
let token = "", indices = [], instants = [], offered = "", shown = null, turn = 0, notice = [];
const charts = {};

// ---- words -------------------------------------------------------------------------------------
function word(key, ...values) {
  const text = WORDS[looks.lang.value][key] ?? key;
  return text.replace(/\{(\d)\}/g, (_, n) => values[n]);
}
function nameOf(one) {
  return (looks.lang.value === "zh" && one.name_zh) || one.name_en || one.id;
}
function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;  // text, whatever is in it
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
// A word and its values; nothing, to take away what was said.
function say(...told) {
  notice = told;
  byId("fault").hidden = !told.length;
  byId("fault").textContent = told.length ? word(...told) : "";
}
function speak() {
  document.documentElement.lang = looks.lang.value === "zh" ? "zh-CN" : "en";
  document.documentElement.dataset.theme = looks.theme.value;
  document.documentElement.dataset.up = looks.up.value;
  document.title = word("title");
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = word(each.dataset.word);
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", word("table", word(each.dataset.label)));
  say(...notice);
}

// ---- the API -----------------------------------------------------------------------------------
async function fetched(address) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch(address, { headers, cache: "no-cache" });
  if (answer.status === 401) {
    byId("token").hidden = false;
    byId("token").token.focus();
    document.querySelector("footer").hidden = true;  // a link takes no token along
  }
  if (answer.ok) return answer.json();
  const { detail } = await answer.json().catch(() => ({}));  // of a proxy it may be anything
  throw new Error(detail ?? `${answer.status} ${answer.statusText}`.trim());
}
async function everyRow(address) {
  const rows = [];
  let record = null;
  for (let next = address; next; ) {
    const told = await fetched(next);
    record ??= told.record ?? null;
    rows.push(...told.rows);
    next = told.next;
  }
  return { rows, record };
}
function levelsAddress(id, at) {
  const asks = new URLSearchParams({ variant: asked.variant.value, limit: "5000" });
  if (at) asks.set("as_known_at", at);
  return `/v1/indices/${encodeURIComponent(id)}/levels?${asks}`;
}

// ---- what is published -------------------------------------------------------------------------
function filled(table, columns, rows) {
  const caption = table.caption;
  table.replaceChildren(...(caption ? [caption] : []));
  const head = table.createTHead().insertRow();
  for (const [key, kind] of columns) head.append(element("th", word(key), { scope: "col", class: kind ?? "" }));
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    row.forEach((cell, n) => {
      const made = n ? element("td", "", { class: columns[n][1] ?? "" }) : element("th", "", { scope: "row" });
      made.append(cell ?? "–");
      line.append(made);
    });
  }
}
function stateMark(state) {
  return element("span", word(state), { class: `state ${state}` });
}
async function list() {
  const [found, studies, status] = await Promise.all(
    ["/v1/indices?limit=5000", "/v1/studies?limit=100", "/v1/status"].map(everyRow));
  indices = found.rows;
  byId("synthetic").hidden = ![...indices, ...studies.rows].some((one) => one.synthetic);
  const states = new Map(status.rows.map((one) => [one.id, one]));
  showLists = () => {
    filled(byId("indices"),
      [["name"], ["state"], ["session"], ["level", "number"], ["currency"], ["revision", "number"], ["due"], ["published_at"]],
      [...indices.map((one) => [nameOf(one), stateMark(states.get(one.id)?.state ?? "published"), one.session,
        one.level, one.currency, String(one.revision), states.get(one.id)?.due, utc(one.published_at)]),
      ...status.rows.filter((one) => !one.kind).map((one) => [one.id, stateMark(one.state), null, null, null, null, one.due, null])]);
    filled(byId("studies"), [["name"], ["state"], ["session"], ["pair"], ["state"], ["since"], ["kind"]], pairs());
  };
  const told = await Promise.all(studies.rows.map((one) => fetched(`/v1/studies/${one.id}`)));
  const label = (id) => nameOf(indices.find((one) => one.id === id) ?? { id });
  const pairs = () => told.flatMap(({ summary, states: now }) => now.map((pair) => [
    nameOf(summary), stateMark(states.get(summary.id)?.state ?? "published"), summary.session,
    `${label(pair.leader)} / ${label(pair.follower)}`, word(pair.state), pair.since, pair.kind && word(pair.kind)]));
}
let showLists = () => {};

// ---- comparing ---------------------------------------------------------------------------------
function put(name, visible) {
  for (const each of document.querySelectorAll(`[data-${name}]`)) each.hidden = !visible;
}
function offerIndices() {
  byId("comparison").hidden = !indices.length;
  const several = indices.length > 1;  // an index is not offered to be compared with itself
  put("several", several);
  byId("compare-name").dataset.word = several ? "compare" : "single";
  byId("compare-name").textContent = word(byId("compare-name").dataset.word);
  for (const select of [asked.a, asked.b]) {
    const wanted = select.value || query.get(select.name);
    select.replaceChildren(...indices.map((one) => {
      const option = element("option", nameOf(one));
      option.value = one.id;
      return option;
    }));
    if (of(wanted)) select.value = wanted;
  }
}
function offerInstants(told) {
  const known = told.flatMap((one) => one.publications.map((each) => each.published_at));
  const at = query.get("at");  // offered too: it may be older than the last thousand, or of another index
  instants = [...new Set(at ? [...known, at] : known)].sort();
  asked.at.max = String(instants.length);  // one more than there are: now
  asked.at.value = String(at ? instants.indexOf(at) : instants.length);
  sayInstant();
}
const utc = (at) => at.endsWith("Z") ? `${at.slice(0, 19).replace("T", " ")} UTC` : at;
const instant = () => instants[Number(asked.at.value)] ?? "";
function sayInstant() {
  const said = instant() ? utc(instant()) : word("now");
  byId("at-said").textContent = said;
  asked.at.setAttribute("aria-valuetext", said);
}
async function compare() {
  const mine = ++turn, ids = [asked.a.value, asked.b.value], pair = [...ids].sort().join(" ");
  try {
    if (offered !== pair) {
      const told = await Promise.all(ids.map((id) => fetched(`/v1/indices/${id}`)));
      if (mine !== turn) return;  // something else has been asked for meanwhile
      offerInstants(told);
      offered = pair;
    }
    const at = instant(), variant = asked.variant.value;
    remember();
    const [a, b] = await Promise.all(ids.map((id) => everyRow(levelsAddress(id, at))));
    if (mine !== turn) return;
    say();
    shown = { a: of(ids[0]), b: of(ids[1]), at, variant, rows: joined(a.rows, b.rows), levels: [a.rows, b.rows], records: [a.record, b.record] };
    draw();
  } catch (error) {
    if (mine !== turn) return;
    shown = null;  // of what is chosen now there is no number
    byId("found").hidden = true;
    byId("answer").replaceChildren();
    say("failed", error.message);
  }
}
const of = (id) => indices.find((one) => one.id === id);

function inView() {
  const from = asked.from.value, to = asked.to.value || "9";
  const all = shown.rows, window = Number(asked.window.value);
  const returns = ["a", "b"].map((side) => logReturns(all.map((row) => row[side].level_exact)));
  const moving = rollingCorrelation(returns[0], returns[1], window);
  // A correlation is back-tested while any level in its window is.
  const tested = all.map((row) => row.a.backtested || row.b.backtested);
  const kept = all.map((row, t) => ({
    ...row, correlation: moving[t], tested: tested[t], windowTested: tested.slice(Math.max(0, t - window), t + 1).some(Boolean),
  })).filter((row) => row.date >= from && row.date <= to);
  const exact = (side) => kept.map((row) => row[side].level_exact);
  return {
    rows: kept, dates: kept.map((row) => row.date), window,
    a: kept.length ? rebased(exact("a")) : [], b: kept.length ? rebased(exact("b")) : [],
    ratio: kept.length ? ratio(exact("a"), exact("b")) : [],
    correlation: kept.map((row) => row.correlation),
    tested: {
      a: kept.map((row) => row.a.backtested), b: kept.map((row) => row.b.backtested),
      ratio: kept.map((row) => row.tested), correlation: kept.map((row) => row.windowTested),
    },
  };
}
function moved(values) {
  const change = values.at(-1) / values[0] - 1;
  const text = `${Math.abs(100 * change).toFixed(2)}%`;
  const key = text === "0.00%" ? "stayed" : change > 0 ? "rose" : "fell";
  return element("strong", word(key, text), { class: key === "rose" ? "rise" : key === "fell" ? "fall" : "" });
}
function draw() {
  const view = inView(), two = shown.a !== shown.b;
  put("pair", two);
  byId("found").hidden = false;
  const answer = byId("answer");
  answer.replaceChildren();
  byId("charts").hidden = !view.rows.length;
  byId("backtested").hidden = true;
  facts();
  if (!view.rows.length) {
    answer.textContent = word(shown.rows.length ? "nothing_between" : two ? "nothing" : "nothing_single");
    byId("rows").replaceChildren();
    return;
  }
  const last = view.correlation.at(-1);
  const parts = [view.dates[0], view.dates.at(-1), nameOf(shown.a), moved(view.a), nameOf(shown.b), moved(view.b),
    moved(view.ratio), String(view.window), last === null ? "–" : last.toFixed(3)];
  for (const piece of WORDS[looks.lang.value][two ? "answer" : "answer_single"].split(/(\{\d\})/)) {
    answer.append(/^\{\d\}$/.test(piece) ? parts[Number(piece[1])] : piece);
  }
  const live = view.tested.ratio.lastIndexOf(true);
  if (live >= 0) {
    byId("backtested").hidden = false;
    byId("backtested").textContent = word("tested", view.dates[live]);
  }
  const names = [nameOf(shown.a), nameOf(shown.b)];
  const line = (name, key, colour) => ({ name, values: view[key], tested: view.tested[key], colour });
  const levels = [line(names[0], "a", "--first"), line(names[1], "b", "--second")];
  plot("lines", view, two ? levels : levels.slice(0, 1));
  if (two) {
    plot("ratio", view, [line(names.join(" / "), "ratio", "--first")]);
    plot("correlation", view, [line(`${word("correlation")}, ${view.window}`, "correlation", "--third")], [-1, 1]);
  }
  const kept = two ? 5 : 2;  // of one index the date and the level
  const recent = view.rows.map((row, t) => [row.date, row.a.level, row.b.level, view.ratio[t].toFixed(4),
    row.correlation === null ? null : row.correlation.toFixed(4)].slice(0, kept)).slice(-20).reverse();
  filled(byId("rows"), [["date"], ["first", "number"], ["second", "number"], ["ratio", "number"], ["correlation", "number"]].slice(0, kept), recent);
  byId("rows").tHead.rows[0].cells[1].textContent = names[0];
  if (two) byId("rows").tHead.rows[0].cells[2].textContent = names[1];
}
function facts() {
  const sides = shown.a === shown.b ? [shown.a] : [shown.a, shown.b];
  filled(byId("records"),
    [["name"], ["session"], ["revision", "number"], ["state"], ["published_at"], ["definition"], ["market"], ["source", "prose"], ["carried", "number"]],
    shown.records.slice(0, sides.length).map((record, n) => record === null ? [nameOf(sides[n]), ...Array(8).fill(null)] : [
      nameOf(sides[n]) + (record.synthetic ? ` (${word("mark_synthetic")})` : ""), record.session, String(record.revision),
      word(record.status), utc(record.published_at), record.definition_digest.slice(0, 12), record.market_digest.slice(0, 12),
      record.source || "–", String(record.carried)]));
  sides.forEach((side, n) => {
    const button = byId(n ? "csv-b" : "csv-a"), rows = shown.levels[n];
    button.textContent = word("levels_of", nameOf(side));
    button.disabled = !rows.length;
    button.onclick = () => taken(side, rows);
  });
}
function taken(side, rows) {
  const columns = Object.keys(rows[0]);
  giveTable(`${side.id}-${shown.variant}`, columns, rows.map((row) => columns.map((name) => row[name])));
}

// ---- charts ------------------------------------------------------------------------------------
function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
// As a picture has it in an attribute too, its quotes are single ones.
function family() {
  return getComputedStyle(document.body).fontFamily.replaceAll('"', "'");
}
function option(view, lines, bounds) {
  const ink = style("--ink"), muted = style("--muted"), rule = style("--rule");
  const parted = ({ values, tested }, wanted) => values.map((value, t) =>
    tested[t] === wanted || (wanted && t && tested[t - 1]) ? value : null);
  return {
    animation: false, textStyle: { fontFamily: family(), color: ink },
    grid: { left: 48, right: 16, top: lines.length > 1 ? 34 : 12, bottom: 28 },
    legend: { show: lines.length > 1, top: 0, left: 0, textStyle: { color: ink }, data: lines.map(({ name }) => name) },
    tooltip: { trigger: "axis", renderMode: "richText", confine: true, backgroundColor: style("--panel"), borderColor: rule,
      textStyle: { color: ink }, formatter: (at) => reading(view, lines, at[0]?.dataIndex) },
    xAxis: { type: "category", data: view.dates, boundaryGap: false, axisLine: { lineStyle: { color: rule } }, axisLabel: { color: muted, hideOverlap: true } },
    yAxis: { type: "value", scale: true, min: bounds?.[0], max: bounds?.[1], splitLine: { lineStyle: { color: rule } }, axisLabel: { color: muted } },
    series: lines.flatMap((line) => [false, true].map((tested) => ({
      name: line.name, type: "line", showSymbol: false, data: parted(line, tested), color: style(line.colour),
      lineStyle: { width: 2, type: tested ? "dashed" : "solid", opacity: tested ? 0.6 : 1 } }))),
  };
}
function reading(view, lines, t) {
  if (t === undefined) return "";
  const figures = lines.map(({ name, values }) => `${name}: ${values[t] === null ? "–" : values[t].toFixed(Math.abs(values[t]) <= 1 ? 3 : 2)}`);
  return [view.dates[t], ...figures].join("\n");
}
function plot(id, view, lines, bounds) {
  const place = byId(id);
  charts[id] ??= echarts.init(place, null, { renderer: "canvas" });
  charts[id].resize();  // it may have been hidden
  charts[id].setOption(option(view, lines, bounds), true);
  place.setAttribute("aria-label", `${word(id)}: ${reading(view, lines, view.dates.length - 1).replaceAll("\n", ", ")}`);
  const file = [...new Set([shown.a.id, shown.b.id]), shown.variant, id].join("-");
  const ways = {
    PNG: () => follow(`${file}.png`, picture("canvas", id, view, lines, bounds)),
    SVG: () => give(`${file}.svg`, picture("svg", id, view, lines, bounds), "image/svg+xml"),
    CSV: () => giveTable(file, [headline(id, view, lines).join(" · ")], [
      [word("date"), ...lines.flatMap(({ name }) => [name, `${name} (${word("mark_tested")})`])],
      ...view.dates.map((date, t) => [date, ...lines.flatMap(({ values, tested }) => [values[t], tested[t]])])]),
  };
  place.nextElementSibling.replaceChildren(...Object.entries(ways).map(([name, way]) => {
    const button = element("button", name, { type: "button", "aria-label": `${name}: ${word(id)}` });
    button.onclick = way;
    return button;
  }));
}
const synthetic = () => shown.levels.flat().some((row) => row.synthetic);
// What a chart says of itself elsewhere: its heading, of what it is, as known when, and its marks.
function headline(id, view, lines) {
  const names = [...new Set([shown.a, shown.b])].map(nameOf).join(" / ");
  const published = shown.records.flatMap((record) => record ? [record.published_at] : []).sort();
  const told = [word(id), names, word(shown.variant)];
  if (id === "correlation") told.push(`${word("window")} ${view.window}`);
  told.push(`${word("known")} ${utc(shown.at || published.at(-1))}`);
  if (synthetic()) told.push(word("synthetic"));
  const live = Math.max(...lines.map(({ tested }) => tested.lastIndexOf(true)));
  if (live >= 0) told.push(word("tested", view.dates[live]));
  return told;
}
const pen = element("canvas").getContext("2d");
function broken(text, size, weight) {
  pen.font = `${weight} ${size}px ${family()}`;
  const lines = [""];
  for (const piece of text.split(/(?<= )/)) {
    if (lines.at(-1) && pen.measureText(lines.at(-1) + piece).width > WIDE - 24) lines.push("");
    lines[lines.length - 1] += piece;
  }
  return lines;
}
function picture(renderer, id, view, lines, bounds) {
  const [title, ...told] = headline(id, view, lines), svg = renderer === "svg";
  const [text, subtext] = [broken(title, 16, "bold"), broken(told.join(" · "), 12, "normal")];
  const top = 8 + 22 * text.length + 6 + 16 * subtext.length + 8, drawn = option(view, lines, bounds);
  const made = echarts.init(svg ? null : element("div"), null,
    { renderer, ssr: svg, width: WIDE, height: HIGH + top, devicePixelRatio: 2 });
  made.setOption({
    ...drawn, backgroundColor: style("--paper"),
    title: { text: text.join("\n"), subtext: subtext.join("\n"), left: 12, top: 8, padding: 0, itemGap: 6,
      textStyle: { color: style("--ink"), fontSize: 16, lineHeight: 22 },
      subtextStyle: { color: style(synthetic() ? "--warn" : "--muted"), fontSize: 12, lineHeight: 16 } },
    legend: { ...drawn.legend, top }, grid: { ...drawn.grid, top: drawn.grid.top + top },
  });
  const found = svg ? made.renderToSVGString() : made.getDataURL({ type: "png", pixelRatio: 2 });
  made.dispose();
  return found;
}
// With the mark by which spreadsheets know that it is UTF-8.
function giveTable(name, columns, rows) {
  give(`${name}.csv`, `\ufeff${csv(columns, rows)}`, "text/csv");
}
function give(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  follow(name, address);
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
function follow(name, address) {
  element("a", "", { href: address, download: name }).click();
}

// ---- the address -------------------------------------------------------------------------------
function remember() {
  byId("link").textContent = word("link");
  byId("address").textContent = "";
  const kept = new URLSearchParams();
  const known = indices.length;  // of none, what was asked for is kept
  for (const name of ["a", ...(known === 1 ? [] : ["b"]), "variant", "from", "to", "window"]) {
    const value = asked[name].value || (known ? "" : query.get(name));
    if (value) kept.set(name, value);
  }
  const at = offered ? instant() : query.get("at");
  if (at) kept.set("at", at);
  for (const name of Object.keys(saved)) if (looks[name].value !== saved[name]) kept.set(name, looks[name].value);
  history.replaceState(null, "", `?${kept}`);
}
function recall() {
  for (const name of Object.keys(saved)) {
    looks[name].value = query.get(name) ?? saved[name];
    if (!looks[name].value) looks[name].value = saved[name];
  }
  for (const name of ["variant", "from", "to", "window"]) {
    const before = asked[name].value;
    if (query.has(name)) asked[name].value = query.get(name);
    if (!asked[name].value) asked[name].value = before;
  }
}

async function begin() {
  say();
  try {
    await list();
    offerIndices();
    if (!query.get("b")) asked.b.selectedIndex = Math.max(0, indices.findIndex((one) => one.id !== asked.a.value));
    showLists();
  } catch (error) {
    say("failed", error.message);
    return;
  }
  if (!indices.length) return;
  await compare();
  const unknown = ["a", "b"].map((side) => query.get(side)).filter((id) => id && !of(id));
  if (shown && unknown.length) say("unknown", unknown.join(", "));
}
looks.addEventListener("change", () => {
  speak();
  offerIndices();
  showLists();
  sayInstant();
  remember();
  if (shown) draw();
});
asked.addEventListener("submit", (event) => event.preventDefault());
asked.addEventListener("change", (event) => {
  if (["from", "to", "window"].includes(event.target.name) && shown) {
    remember();
    draw();
    return;
  }
  if (["a", "b"].includes(event.target.name) && offered) {
    if (instant()) query.set("at", instant()); else query.delete("at");
  }
  compare();
});
asked.at.addEventListener("input", sayInstant);
byId("swap").addEventListener("click", () => {
  [asked.a.value, asked.b.value] = [asked.b.value, asked.a.value];
  compare();
});
byId("link").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    byId("link").textContent = word("copied");
  } catch {  // it is not allowed, or there is none: to be copied by hand
    byId("address").textContent = location.href;
  }
});
byId("token").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token").token.value;
  byId("token").hidden = true;
  begin();
});
addEventListener("resize", () => Object.values(charts).forEach((chart) => chart.resize()));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown && draw());
recall();
speak();
begin();
