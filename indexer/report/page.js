"use strict";
(() => {
  const page = JSON.parse(document.getElementById("figures").textContent);
  const { colour, decoded, element, inView, option, rows, say, title, variable } = charts;
  const root = document.documentElement;
  const PRINTED_WIDTH = 680; // CSS pixels of A4 between its margins
  const [WIDE, HIGH] = [1200, 520]; // of a chart that leaves the page, without its words
  const ROW = 24; // CSS pixels of a row of a grid
  const drawn = [];
  const nameOf = (line) => line.legend ?? line.label;
  const keyOf = (line) => nameOf(line).join("\n"); // of all lines that one name shows and hides
  const printing = () => root.classList.contains("printing");

  page.sessions = decoded(page.sessions).map((day) => new Date(day * 864e5).toISOString().slice(0, 10));
  page.rows = page.rows.map((told) => decoded(told));
  for (const figure of page.figures.filter(({ kind }) => kind === "time")) {
    for (const line of figure.lines) {
      line.rows = page.rows[line.rows];
      line.values = decoded(line.values, line.digits);
      line.shownValues = line.values;
    }
  }

  // --- what the reader chooses; it stands in the address -----------------------------------------

  const inAddress = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const chosen = {
    lang: navigator.language.startsWith("zh") ? "zh" : "en", theme: "auto", up: "red",
    ...inAddress(),
  };

  function choose() {
    root.lang = chosen.lang === "zh" ? "zh" : "en";
    document.title = document.querySelector("title").dataset[root.lang];
    root.dataset.theme = chosen.theme;
    root.dataset.up = chosen.up;
    for (const button of document.querySelectorAll("[data-set]")) {
      button.setAttribute("aria-pressed", chosen[button.dataset.set] === button.dataset.value);
    }
    for (const labelled of document.querySelectorAll("[data-aria-label-en]")) {
      const { ariaLabelEn, ariaLabelZh } = labelled.dataset;
      labelled.setAttribute("aria-label", root.lang === "zh" ? ariaLabelZh : ariaLabelEn);
    }
  }

  for (const button of document.querySelectorAll("[data-set]")) {
    button.onclick = () => {
      chosen[button.dataset.set] = button.dataset.value;
      history.replaceState(null, "", `#${new URLSearchParams(chosen)}`);
      choose();
      redraw(printing());
    };
  }

  // --- a chart that leaves the page says where it comes from -------------------------------------

  // Spreadsheets take a cell that begins so for a formula: a name must stay a name.
  const plain = (value) => (
    typeof value === "string" && /^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : String(value)
  );
  const quoted = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

  const stampOf = (figure) => page.stamps[figure.stamp] ?? page.stamp;

  function table(figure) {
    const about = document.getElementById(`${figure.id}_about`).innerText;
    const told = [[title(page, figure), about], [say(stampOf(figure))], ...rows(page, figure)];
    return `\ufeff${told.map((row) => row.map((one) => quoted(plain(one))).join(",")).join("\r\n")}\r\n`;
  }

  // A picture has no scroll bar: its words are broken into lines, and take the room they need.
  const pen = element("canvas").getContext("2d");
  const wide = (text, size, weight = "normal") => {
    pen.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
    return pen.measureText(text).width;
  };

  // Chinese is broken between any two characters, but not before what closes.
  function broken(text, size, weight) {
    const lines = [""];
    for (const word of text.split(/(?<= )|(?<=[\u3000-\u9fff\uff00-\uffef])(?![，。；：、）”%])/)) {
      if (wide(lines.at(-1) + word, size, weight) > WIDE - 32 && lines.at(-1)) lines.push("");
      lines[lines.length - 1] += word;
    }
    return lines;
  }

  // How many lines a legend takes: a stroke of 25 pixels, a gap, a name, another gap.
  function legendLines(names) {
    let [lines, used] = [1, 0];
    for (const name of names) {
      const room = 25 + 5 + wide(name, 12) + 12;
      if (used + room > WIDE - 32) [lines, used] = [lines + 1, 0];
      used += room;
    }
    return lines;
  }

  // What the shades of a chart are called, in a row of its picture.
  function shades(figure, top) {
    let left = 12;
    const used = new Set((figure.bands ?? []).map(([, , key]) => key));
    return Object.keys(page.states).filter((key) => used.has(key)).flatMap((key) => {
      const text = say(page.states[key]);
      const swatch = {
        type: "rect", silent: true, shape: { x: left, y: top, width: 25, height: 12 },
        style: { fill: colour(`--${key}`) },
      };
      const fontFamily = getComputedStyle(document.body).fontFamily.replaceAll('"', "'");
      const name = {
        type: "text", silent: true, x: left + 30, y: top,
        style: { text, fill: colour("--ink"), fontSize: 12, fontFamily },
      };
      left += 25 + 5 + wide(text, 12) + 16;
      return [swatch, name];
    });
  }

  function tall(figure) {
    if (figure.kind === "grid") return 80 + ROW * figure.rows.length;
    return figure.kind === "heat" ? WIDE : HIGH;
  }

  function outside(one) {
    const { figure, selected } = one;
    const inside = option(page, figure, { selected, still: true, room: [WIDE, WIDE] });
    const named = (figure.lines ?? []).filter((line) => line.button !== false);
    const all = [...new Set(named.map((line) => say(nameOf(line))))];
    const names = all.filter((name) => selected[name] !== false);
    const slots = Object.fromEntries(named.map((line) => [say(nameOf(line)), line.slot]));
    const inFull = (name) => ({ name, lineStyle: { color: colour(variable(slots[name])) } });
    const several = all.length > 1; // of which one may be left: a picture says which
    const called = broken(title(page, figure), 18, "bold");
    const about = broken(document.getElementById(`${figure.id}_about`).innerText, 13);
    const told = broken(say(stampOf(figure)), 12);
    const after = 8 + 24 * called.length + 6 + 17 * about.length + 6; // where the stamp begins
    const key = after + 15 * told.length + 10;
    const shaded = shades(figure, key);
    const below = key + (shaded.length ? 22 : 0);
    const top = below + (several ? 24 * legendLines(names) : 0) + 24;
    return {
      ...inside, backgroundColor: colour("--paper"), dataZoom: undefined, graphic: shaded,
      title: [{
        text: called.join("\n"), subtext: about.join("\n"), left: 12, top: 8, itemGap: 6,
        padding: 0, textStyle: { color: colour("--ink"), fontSize: 18, lineHeight: 24 },
        subtextStyle: { color: colour("--ink"), fontSize: 13, lineHeight: 17 },
      }, {
        text: told.join("\n"), left: 12, top: after, padding: 0,
        textStyle: {
          color: colour(page.synthetic ? "--warn" : "--muted"), fontSize: 12, lineHeight: 15,
          fontWeight: "normal",
        },
      }],
      legend: {
        show: several, top: below, left: 12, width: WIDE - 24, selected, data: names.map(inFull),
        textStyle: { color: colour("--ink"), fontSize: 12 }, itemGap: 10,
        itemStyle: { opacity: 0 }, lineStyle: { width: 2.2 },
      },
      grid: { ...inside.grid, top, left: 24, right: 32, bottom: 40 },
    };
  }

  function picture(one, renderer) {
    const place = document.createElement("div");
    const drawing = outside(one);
    const size = { width: WIDE, height: tall(one.figure) + drawing.grid.top };
    const chart = echarts.init(renderer === "svg" ? null : place, null, {
      renderer, ...size, ssr: renderer === "svg", devicePixelRatio: 2,
    });
    chart.setOption(drawing);
    if (one.figure.kind === "time") {
      chart.setOption(inView(one.figure, one.selected, 0, page.sessions.length - 1));
    }
    const made = renderer === "svg"
      ? new Blob([chart.renderToSVGString()], { type: "image/svg+xml" })
      : pixels(chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: colour("--paper") }));
    chart.dispose();
    return made;
  }

  function pixels(address) {
    const bytes = Uint8Array.from(atob(address.split(",")[1]), (c) => c.charCodeAt(0));
    return new Blob([bytes], { type: "image/png" });
  }

  function save(blob, name) {
    const link = element("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  function downloads(one) {
    const bar = element("div", "", "downloads");
    bar.setAttribute("role", "group");
    const name = `${page.id}_${one.figure.id}`;
    const made = {
      png: () => picture(one, "canvas"), svg: () => picture(one, "svg"),
      csv: () => new Blob([table(one.figure)], { type: "text/csv;charset=utf-8" }),
    };
    for (const [kind, make] of Object.entries(made)) {
      const button = element("button", kind.toUpperCase());
      button.type = "button";
      button.onclick = () => save(make(), `${name}.${kind}`);
      bar.append(button);
    }
    one.words.push(() => {
      bar.setAttribute("aria-label", `${say(page.words.download)}: ${say(one.figure.title)}`);
    });
    return bar;
  }

  // --- charts -----------------------------------------------------------------------------------

  function fit(one) {
    const seen = inView(one.figure, one.selected, ...one.seen);
    const told = JSON.stringify(seen);
    if (told === one.told) return; // of most steps of a drag
    one.told = told;
    one.chart.setOption(seen);
  }

  function show(one, onPaper) {
    const { chart, figure, selected } = one;
    const how = { selected, still: onPaper, room: [chart.getWidth(), chart.getHeight()] };
    const time = figure.kind === "time"; // what depends on the sessions in view is drawn with the rest
    chart.setOption(option(page, figure, how), { replaceMerge: ["series"], lazyUpdate: time });
    delete one.told; // the marks are drawn anew
    if (time) fit(one);
  }

  // A stroke as the background of a button: dashes and gaps of a line's style, in its colour.
  function stroke(style = "solid") {
    const dashes = { solid: [34], dashed: [6, 4], dotted: [3, 3] }[style] ?? style;
    let at = 0;
    const parts = dashes.map((length, n) => {
      const part = `${n % 2 ? "transparent" : "var(--colour)"} ${at}px ${at + length}px`;
      at += length;
      return part;
    });
    return `repeating-linear-gradient(90deg, ${parts.join(", ")})`;
  }

  function legend(one) {
    const list = element("ul", "", "legend");
    const groups = new Map();
    for (const line of one.figure.lines ?? []) {
      const key = keyOf(line);
      if (line.button !== false && !groups.has(key)) groups.set(key, line);
    }
    for (const [key, line] of groups) {
      const button = element("button");
      button.type = "button";
      button.style.setProperty("--colour", `var(${variable(line.slot)})`);
      button.style.setProperty("--stroke", stroke(line.style));
      button.onclick = () => {
        if (!one.hidden.delete(key)) one.hidden.add(key);
        refresh(one);
        show(one, false);
      };
      one.words.push(() => {
        button.textContent = say(nameOf(line));
        button.setAttribute("aria-pressed", !one.hidden.has(key));
      });
      const item = element("li");
      item.append(button);
      list.append(item);
    }
    return list;
  }

  // Names in the reader's language, and which of them are shown.
  function refresh(one) {
    for (const key of Object.keys(one.selected)) delete one.selected[key];
    for (const line of one.figure.lines ?? []) {
      one.selected[say(nameOf(line))] = !one.hidden.has(keyOf(line));
    }
    one.words.forEach((put) => put());
  }

  function slider(one) {
    const { figure } = one;
    const label = element("label", "", "base");
    const [words, input, day] = [element("span"), element("input"), element("output")];
    Object.assign(input, { type: "range", min: 0, max: page.sessions.length - 1, value: figure.rebase });
    label.append(words, input, day);
    const move = () => {
      figure.base = Number(input.value);
      for (const line of figure.lines) {
        const known = line.values.findLastIndex((v, i) => v > 0 && line.rows[i] <= figure.base);
        const at = known < 0 ? line.values.findIndex((v) => v > 0) : known;
        const by = 100 / line.values[at];
        const moved = (v) => (v === null ? null : Number((v * by).toFixed(line.digits)));
        line.shownValues = figure.base === figure.rebase ? line.values : line.values.map(moved);
      }
      day.textContent = page.sessions[figure.base];
      input.setAttribute("aria-valuetext", day.textContent);
    };
    move();
    input.oninput = () => {
      move();
      show(one, false);
    };
    one.words.push(() => { words.textContent = say(page.words.move); });
    return label;
  }

  // What the bar below a chart does, by keys: a tenth of what is in view at a time.
  function keys(one, place) {
    const end = page.sessions.length - 1;
    place.tabIndex = 0;
    place.setAttribute("aria-keyshortcuts", "+ - ArrowLeft ArrowRight Home");
    place.onkeydown = (event) => {
      const [first, last] = one.seen;
      const step = Math.max(1, Math.round((last - first) / 10));
      const [left, right] = [Math.min(step, first), Math.min(step, end - last)];
      const narrower = last - first > 2 * step;
      const seen = {
        "+": narrower ? [first + step, last - step] : one.seen,
        "-": [first - left, last + right],
        ArrowLeft: [first - left, last - left],
        ArrowRight: [first + right, last + right],
        Home: [0, end],
      }[event.key === "=" ? "+" : event.key]; // + without the shift key
      if (!seen || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      one.chart.dispatchAction({ type: "dataZoom", startValue: seen[0], endValue: seen[1] });
    };
  }

  function draw(figure) {
    const place = document.getElementById(figure.id);
    if (figure.kind === "grid") place.style.height = `${tall(figure)}px`;
    const chart = echarts.init(place, null, { renderer: "svg" });
    const hidden = new Set((figure.lines ?? []).filter((line) => line.shown === false).map(keyOf));
    const one = { chart, figure, selected: {}, hidden, words: [], seen: [0, page.sessions.length - 1] };
    const names = legend(one);
    if (names.children.length > 1) place.before(names);
    place.after(downloads(one));
    if (figure.rebase !== undefined && figure.rebase !== null) place.after(slider(one));
    refresh(one);
    show(one, false);
    if (figure.kind === "time") {
      chart.group = "study";
      chart.on("datazoom", () => {
        const { startValue, endValue } = chart.getOption().dataZoom[0];
        one.seen = [startValue, endValue];
        fit(one);
      });
      keys(one, place);
    }
    new ResizeObserver(() => {
      const { clientWidth, clientHeight } = place;
      const fits = clientWidth === chart.getWidth() && clientHeight === chart.getHeight();
      if (fits || printing()) return; // it is told the size that it was drawn with, too
      resize(chart, "auto");
      if (["heat", "grid"].includes(figure.kind)) show(one, false); // its names have another room
    }).observe(place);
    drawn.push(one);
  }

  function resize(chart, width) {
    chart.resize({ width, height: chart.getDom().clientHeight });
  }

  function redraw(onPaper) {
    root.classList.toggle("printing", onPaper);
    for (const one of drawn) {
      refresh(one);
      resize(one.chart, onPaper ? PRINTED_WIDTH : "auto");
      show(one, onPaper);
      one.chart.getZr().flush(); // at once: paper does not wait for the next frame
    }
  }

  choose();
  document.querySelector(".bar").hidden = false;
  page.figures.forEach(draw);
  echarts.connect("study");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw(printing()));
  addEventListener("hashchange", () => {
    Object.assign(chosen, inAddress());
    choose();
    redraw(printing());
  });
  addEventListener("beforeprint", () => redraw(true));
  addEventListener("afterprint", () => redraw(false));
})();
