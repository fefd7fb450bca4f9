"use strict";
(() => {
  const { sessions, states, figures } = JSON.parse(document.getElementById("figures").textContent);
  const PRINTED_WIDTH = 680; // CSS pixels of A4 between its margins
  const drawn = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const ink = (slot) => colour(slot ? `--line-${((slot - 1) % 8) + 1}` : "--ink");
  const number = (value, digits) => value.toFixed(digits).replace("-", "\u2212");

  function element(tag, text = "", classes = "") {
    const made = document.createElement(tag);
    made.textContent = text;
    made.className = classes;
    return made;
  }

  // Two strokes a line: pale where back-tested, full from there on; they share one point.
  function strokes(line, n) {
    const points = line.rows.map((row, i) => [row, line.values[i]]);
    const stroke = (part, data, style) => ({
      id: `${n} ${part}`, name: line.legend, type: "line", data, silent: true, showSymbol: false,
      symbol: "circle", symbolSize: 5, itemStyle: { color: ink(line.slot) },
      lineStyle: { color: ink(line.slot), type: line.style, ...style },
    });
    return [
      stroke("tested", points.slice(0, line.tested), { width: 1.4, opacity: 0.65 }),
      stroke("live", points.slice(Math.max(line.tested - 1, 0)), { width: 2.2 }),
    ];
  }

  function shades(figure) {
    return {
      id: "bands", type: "custom", silent: true, z: 0, clip: true, tooltip: { show: false },
      data: figure.bands.map(([first, last]) => [first, last]), encode: { x: [0, 1], y: -1 },
      renderItem: (params, api) => {
        const half = api.size([1, 0])[0] / 2;
        const [left, right] = [0, 1].map((end) => api.coord([api.value(end), 0])[0]);
        const { y, height } = params.coordSys;
        const key = figure.bands[params.dataIndex][2];
        const shape = { x: left - half, y, width: right - left + 2 * half, height };
        return { type: "rect", shape, style: { fill: colour(`--${key}`) } };
      },
    };
  }

  function marks(figure) {
    return {
      id: "marks", type: "line", data: [], silent: true,
      markLine: {
        silent: true, symbol: "none", animation: false,
        lineStyle: { color: colour("--muted"), type: "dashed" },
        label: { position: "insideEndTop", color: colour("--muted"), fontSize: 11 },
        data: figure.marks.map(({ at, label }) => ({ xAxis: at, label: { formatter: label } })),
      },
    };
  }

  function reading(figure, params) {
    const row = params[0].dataIndex === undefined ? null : params[0].axisValue;
    const t = sessions.indexOf(row);
    const box = element("div", "", "reading");
    box.append(element("p", row));
    const band = figure.bands.find(([first, last]) => first <= t && t <= last);
    if (figure.bands.length) box.append(element("p", band ? states[band[2]] : "neutral"));
    const told = new Set();
    for (const { seriesId, value } of params) {
      const n = parseInt(seriesId, 10);
      if (Number.isNaN(n) || told.has(n) || value[1] === null) continue;
      told.add(n);
      const { label, tested, rows } = figure.lines[n];
      const hindsight = rows.indexOf(t) < tested ? " (back-tested)" : "";
      const line = element("p", `${label}: ${number(value[1], figure.digits)}${hindsight}`);
      line.style.color = ink(figure.lines[n].slot);
      box.append(line);
    }
    return box;
  }

  function option(figure, selected, printing) {
    const axis = {
      axisLine: { lineStyle: { color: colour("--rule") } },
      axisLabel: { color: colour("--muted"), hideOverlap: true },
      splitLine: { lineStyle: { color: colour("--rule"), opacity: 0.6 } },
    };
    const [min, max] = figure.bounds ?? [null, null];
    const doubles = Array.from({ length: 41 }, (_, k) => 100 * 2 ** (k - 20));
    const scale = figure.bounds ? { type: "value", min, max } : {
      type: "log", logBase: 2, min: "dataMin", max: "dataMax",
      axisLabel: { ...axis.axisLabel, customValues: doubles }, axisTick: { customValues: doubles },
    };
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 4, right: 14, top: 14, bottom: printing ? 8 : 46, outerBoundsMode: "same" },
      xAxis: { ...axis, type: "category", data: sessions, splitLine: { show: false } },
      yAxis: { ...axis, ...scale },
      legend: { show: false, selected },
      dataZoom: { show: !printing, filterMode: "weakFilter", height: 18, bottom: 8, showDataShadow: false },
      tooltip: {
        trigger: "axis", confine: true, backgroundColor: colour("--panel"),
        borderColor: colour("--rule"), textStyle: { color: colour("--ink") },
        formatter: (params) => reading(figure, params),
      },
      series: [shades(figure), ...figure.lines.flatMap(strokes), marks(figure)],
    };
  }

  function legend(figure, chart, selected) {
    const list = element("ul", "", "legend");
    const buttons = new Map();
    for (const line of figure.lines) {
      if (buttons.has(line.legend)) continue;
      const button = element("button", line.legend);
      button.style.setProperty("--colour", `var(--${line.slot ? `line-${((line.slot - 1) % 8) + 1}` : "ink"})`);
      button.style.setProperty("--stroke", line.style);
      button.onclick = () => chart.dispatchAction({ type: "legendToggleSelect", name: line.legend });
      buttons.set(line.legend, button);
      const item = element("li");
      item.append(button);
      list.append(item);
    }
    const press = () => buttons.forEach((b, name) => b.setAttribute("aria-pressed", selected[name]));
    chart.on("legendselectchanged", (event) => { Object.assign(selected, event.selected); press(); });
    press();
    return list;
  }

  function draw(figure) {
    const place = document.getElementById(figure.id);
    const selected = Object.fromEntries(figure.lines.map((line) => [line.legend, line.shown]));
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.group = "study";
    chart.setOption(option(figure, selected, false));
    place.before(legend(figure, chart, selected));
    new ResizeObserver(() => printing() || chart.resize()).observe(place);
    drawn.push({ chart, figure, selected });
  }

  const printing = () => document.documentElement.classList.contains("printing");

  function redraw(onPaper) {
    document.documentElement.classList.toggle("printing", onPaper);
    for (const { chart, figure, selected } of drawn) {
      chart.setOption(option(figure, selected, onPaper));
      chart.resize({ width: onPaper ? PRINTED_WIDTH : "auto" });
    }
  }

  figures.forEach(draw);
  echarts.connect("study");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw(printing()));
  addEventListener("beforeprint", () => redraw(true));
  addEventListener("afterprint", () => redraw(false));
})();
