"use strict";
(() => {
  const { sessions, states, figures } = JSON.parse(document.getElementById("figures").textContent);
  const PRINTED_WIDTH = 680; // CSS pixels of A4 between its margins
  const drawn = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const variable = (slot) => (slot ? `--line-${((slot - 1) % 8) + 1}` : "--ink");
  const ink = (slot) => colour(variable(slot));
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

  // The label of a mark stands on the side that has more room, so that it is never cut.
  function marks(figure, middle) {
    const label = { position: "end", distance: 3, color: colour("--muted"), fontSize: 11 };
    return {
      id: "marks", type: "line", data: [], silent: true,
      markLine: {
        silent: true, symbol: "none", animation: false, label,
        lineStyle: { color: colour("--muted"), type: "dashed" },
        data: figure.marks.map(({ at, label: formatter }) => (
          { xAxis: at, label: { formatter, align: at > middle ? "right" : "left" } }
        )),
      },
    };
  }

  function reading(figure, params) {
    if (!params.length) return "";
    const t = sessions.indexOf(params[0].axisValue);
    const box = element("div", "", "reading");
    box.append(element("p", sessions[t]));
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

  // ECharts marks a log axis at powers of its base only: these are the values a reader expects.
  function ticks(low, high) {
    const power = (value) => 10 ** Math.floor(Math.log10(value));
    if (high > 6 * low) {
      const decades = Array.from({ length: 40 }, (_, k) => power(low) * 10 ** k);
      return decades.flatMap((decade) => [decade, 2 * decade, 5 * decade]);
    }
    const rough = (high - low || low) / 5;
    const step = power(rough) * [1, 2, 5, 10].find((nice) => nice * power(rough) >= rough);
    const first = Math.ceil(low / step);
    return Array.from({ length: 12 }, (_, k) => (first + k) * step);
  }

  // What depends on the sessions in view: values marked on a log axis, the side of labels.
  function fit({ chart, figure, selected }) {
    const { startValue, endValue } = chart.getOption().dataZoom[0];
    let [low, high] = [Infinity, 0];
    for (const line of figure.lines.filter((one) => selected[one.legend])) {
      line.values.forEach((value, i) => {
        if (value === null || line.rows[i] < startValue || line.rows[i] > endValue) return;
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      });
    }
    const customValues = high ? ticks(low, high) : [];
    chart.setOption({
      yAxis: figure.bounds ? {} : { axisLabel: { customValues }, axisTick: { customValues } },
      series: marks(figure, (startValue + endValue) / 2),
    });
  }

  function option(figure, selected, printing) {
    const axis = {
      axisLine: { lineStyle: { color: colour("--rule") } },
      axisLabel: { color: colour("--muted"), hideOverlap: true },
      splitLine: { lineStyle: { color: colour("--rule"), opacity: 0.6 } },
    };
    const [min, max] = figure.bounds ?? [null, null];
    const log = { type: "log", logBase: 2, min: "dataMin", max: "dataMax" };
    const scale = figure.bounds ? { type: "value", min, max } : log;
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 4, right: 14, top: 22, bottom: printing ? 8 : 46, outerBoundsMode: "same" },
      xAxis: { ...axis, type: "category", data: sessions, splitLine: { show: false } },
      yAxis: { ...axis, ...scale },
      legend: { show: false, selected },
      dataZoom: {
        show: !printing, filterMode: "weakFilter", height: 18, bottom: 8, showDataShadow: false,
        borderColor: colour("--rule"), backgroundColor: colour("--panel"),
        fillerColor: colour("--rule"), textStyle: { color: colour("--muted") },
        handleStyle: { color: colour("--paper"), borderColor: colour("--muted") },
        moveHandleStyle: { color: colour("--muted") },
      },
      tooltip: {
        trigger: "axis", confine: true, backgroundColor: colour("--panel"),
        borderColor: colour("--rule"), textStyle: { color: colour("--ink") },
        formatter: (params) => reading(figure, params),
      },
      series: [shades(figure), ...figure.lines.flatMap(strokes), marks(figure, sessions.length / 2)],
    };
  }

  function legend({ chart, figure, selected }) {
    const list = element("ul", "", "legend");
    const buttons = new Map();
    for (const line of figure.lines) {
      if (buttons.has(line.legend)) continue;
      const button = element("button", line.legend);
      button.style.setProperty("--colour", `var(${variable(line.slot)})`);
      button.style.setProperty("--stroke", line.style);
      button.onclick = () => chart.dispatchAction({ type: "legendToggleSelect", name: line.legend });
      buttons.set(line.legend, button);
      const item = element("li");
      item.append(button);
      list.append(item);
    }
    const press = () => buttons.forEach((b, name) => b.setAttribute("aria-pressed", selected[name]));
    chart.on("legendselectchanged", (event) => {
      Object.assign(selected, event.selected);
      press();
      fit({ chart, figure, selected });
    });
    press();
    return list;
  }

  function draw(figure) {
    const place = document.getElementById(figure.id);
    const selected = Object.fromEntries(figure.lines.map((line) => [line.legend, line.shown]));
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.group = "study";
    chart.setOption(option(figure, selected, false));
    const one = { chart, figure, selected };
    const names = legend(one);
    if (names.children.length > 1) place.before(names);
    chart.on("datazoom", () => fit(one));
    fit(one);
    new ResizeObserver(() => printing() || resize(chart, "auto")).observe(place);
    drawn.push(one);
  }

  function resize(chart, width) {
    chart.resize({ width });
    chart.getZr().flush(); // at once: paper does not wait for the next frame
  }

  const printing = () => document.documentElement.classList.contains("printing");

  function redraw(onPaper) {
    document.documentElement.classList.toggle("printing", onPaper);
    for (const one of drawn) {
      one.chart.setOption(option(one.figure, one.selected, onPaper));
      fit(one);
      resize(one.chart, onPaper ? PRINTED_WIDTH : "auto");
    }
  }

  figures.forEach(draw);
  echarts.connect("study");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw(printing()));
  addEventListener("beforeprint", () => redraw(true));
  addEventListener("afterprint", () => redraw(false));
})();
