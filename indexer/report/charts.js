"use strict";
// What each kind of figure looks like: options for ECharts from plain figures. Draws nothing.
const charts = (() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const variable = (slot) => (slot ? `--line-${((slot - 1) % 8) + 1}` : "--ink");
  const ink = (slot) => colour(variable(slot));
  // What is back-tested: still 3:1 on paper, and no darker where one line lies on another.
  const pale = (slot) => echarts.color.lerp(0.7, [colour("--paper"), ink(slot)]);
  const number = (value, digits) => value.toFixed(digits).replace("-", "\u2212");
  const AXES = [["RS ratio", "相对强弱比率"], ["RS momentum", "相对强弱动量"]]; // of the rotation
  const tongue = () => (document.documentElement.lang === "zh" ? 1 : 0);
  const say = (text) => text[tongue()];

  // Numbers from the text of their differences: see coding.py, which writes it.
  function decoded(text, digits = 0) {
    const found = [];
    let [last, code, place] = [0, 0, 1];
    for (let i = 0; i < text.length; i += 1) {
      const bits = text.charCodeAt(i) - 63;
      if (bits < 0) {
        found.push(null);
        continue;
      }
      code += (bits & 31) * place; // not shifted: shifts end at 32 bits
      place *= 32;
      if (bits & 32) continue;
      last += code % 2 ? -(code + 1) / 2 : code / 2;
      found.push(last / 10 ** digits);
      [code, place] = [0, 1];
    }
    return found;
  }

  function element(tag, text = "", classes = "") {
    const made = document.createElement(tag);
    made.textContent = text;
    made.className = classes;
    return made;
  }

  function box(...lines) {
    const made = element("div", "", "reading");
    for (const [text, slot] of lines) {
      const line = element("p", text);
      if (slot !== undefined) line.style.color = ink(slot);
      made.append(line);
    }
    return made;
  }

  function axis(more = {}) {
    return {
      axisLine: { lineStyle: { color: colour("--rule") } },
      axisLabel: { color: colour("--muted"), hideOverlap: true },
      splitLine: { lineStyle: { color: colour("--rule"), opacity: 0.6 } },
      nameTextStyle: { color: colour("--muted") },
      ...more,
    };
  }

  function frame(more = {}) {
    return {
      animation: false,
      // its quotes would end the attribute of a picture in which ECharts writes it
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily.replaceAll('"', "'") },
      grid: { left: 6, right: 16, top: 24, bottom: 10, outerBoundsMode: "same" },
      ...more,
    };
  }

  const tooltip = (more) => ({
    confine: true, backgroundColor: colour("--panel"), borderColor: colour("--rule"),
    textStyle: { color: colour("--ink") }, ...more,
  });

  const edge = (more) => ({
    silent: true, symbol: "none", animation: false,
    lineStyle: { color: colour("--muted"), type: "dashed" },
    label: { color: colour("--muted"), fontSize: 11 }, ...more,
  });

  // --- over time --------------------------------------------------------------------------------

  // Two strokes a line: pale where back-tested, full from there on; they share one point.
  function strokes(line, n) {
    const points = line.rows.map((row, i) => [row, line.shownValues[i]]);
    const stroke = (part, data, style) => ({
      id: `${n} ${part}`, name: say(line.legend), type: "line", data, silent: true,
      showSymbol: line.points === true, showAllSymbol: true, symbol: "circle", symbolSize: 5,
      itemStyle: { color: style.color }, lineStyle: { type: line.style, ...style },
    });
    const after = points.slice(Math.max(line.tested - 1, 0));
    return [
      stroke("tested", points.slice(0, line.tested), { width: 1.4, color: pale(line.slot) }),
      stroke("live", after, { width: 2.2, color: ink(line.slot) }),
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

  // What is known of a line's last value: a box over its window, shown and hidden with the line.
  function reaches(line, n) {
    if (!line.reach) return [];
    const { first, last, low, high, median } = line.reach;
    const shade = ink(line.slot);
    return [{
      id: `${n} reach`, name: say(line.legend), type: "custom", silent: true, z: 1, clip: true,
      tooltip: { show: false }, itemStyle: { color: shade }, encode: { x: [0, 1], y: [2, 3] },
      data: [[first, last, low, high]],
      renderItem: (params, api) => {
        const [left, top] = api.coord([first, high]);
        const [right, bottom] = api.coord([last, low]);
        const rect = { x: left, y: top, width: right - left, height: bottom - top };
        const window = {
          type: "rect", shape: rect,
          style: { fill: shade, fillOpacity: 0.16, stroke: shade, lineWidth: 1, lineDash: [4, 3] },
        };
        if (median === null) return window;
        const [, middle] = api.coord([first, median]);
        const halfway = {
          type: "line", shape: { x1: left, y1: middle, x2: right, y2: middle },
          style: { stroke: shade, lineWidth: 1.6, lineDash: [1, 3] },
        };
        return { type: "group", children: [window, halfway] };
      },
    }];
  }

  // The label of a mark stands on the side that has more room, so that it is never cut, and below
  // that of the mark before where it could reach into it.
  function marks(figure, first, last) {
    const all = figure.base === undefined ? figure.marks
      : [...figure.marks, { at: figure.base, label: ["= 100", "= 100"] }];
    let [before, below] = [-Infinity, 0];
    const drawn = [...all].sort((a, b) => a.at - b.at).map(({ at, label }) => {
      if (label === null) return { xAxis: at, label: { show: false }, lineStyle: { type: "dotted" } };
      below = at - before < 0.4 * (last - first) ? below + 1 : 0;
      before = at;
      const align = at > (first + last) / 2 ? "right" : "left";
      return { xAxis: at, label: { formatter: say(label), align, distance: 3 - 14 * below } };
    });
    return {
      id: "marks", type: "line", data: [], silent: true,
      markLine: edge({
        label: {
          position: "end", color: colour("--muted"), fontSize: 11,
          backgroundColor: colour("--paper"), padding: [1, 2], // nothing runs through a label
        },
        data: drawn,
      }),
    };
  }

  const power = (value) => 10 ** Math.floor(Math.log10(value));

  // The next round step of an axis: 1, 2 or 5 of some power of ten.
  const round = (rough) => power(rough) * [1, 2, 5, 10].find((n) => n * power(rough) >= rough);

  // An axis that ends on its own marks: about so many of them, as far as both values at least.
  function even(low, high, parts) {
    const interval = round((high - low) / parts);
    const [min, max] = [Math.floor(low / interval), Math.ceil(high / interval)]
      .map((n) => Number((n * interval).toFixed(10)));
    return { min, max, interval };
  }

  // ECharts marks a log axis at powers of its base only: these are the values a reader expects.
  function ticks(low, high) {
    if (high > 6 * low) {
      const decades = Array.from({ length: 40 }, (_, k) => power(low) * 10 ** k);
      return decades.flatMap((decade) => [decade, 2 * decade, 5 * decade]);
    }
    const step = round((high - low || low) / 5);
    const first = Math.ceil(low / step);
    return Array.from({ length: 12 }, (_, k) => (first + k) * step);
  }

  // What depends on the sessions in view: values marked on a log axis, the side of labels.
  function inView(figure, selected, first, last) {
    let [low, high] = [Infinity, 0];
    for (const line of figure.lines.filter((one) => selected[say(one.legend)] !== false)) {
      line.shownValues.forEach((value, i) => {
        if (!(value > 0) || line.rows[i] < first || line.rows[i] > last) return;
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      });
    }
    const customValues = high ? ticks(low, high) : [];
    const log = figure.scale === "log" && !figure.bounds;
    return {
      yAxis: log ? { axisLabel: { customValues }, axisTick: { customValues } } : {},
      series: marks(figure, first, last),
    };
  }

  const hindsight = (page) => ` (${say(page.words.backtested)})`;

  function timeReading(page, figure, params) {
    if (!params.length) return "";
    const t = page.sessions.indexOf(params[0].axisValue);
    const lines = [[page.sessions[t]]];
    const band = figure.bands.find(([first, last]) => first <= t && t <= last);
    if (figure.bands.length) lines.push([say(band ? page.states[band[2]] : page.words.neutral)]);
    const told = new Set();
    for (const { seriesId, value } of params) {
      const n = parseInt(seriesId, 10);
      if (Number.isNaN(n) || told.has(n) || seriesId.endsWith("reach") || value[1] === null) continue;
      told.add(n);
      const { label, reach, tested, rows, slot } = figure.lines[n];
      const mark = rows.indexOf(t) < tested ? hindsight(page) : "";
      lines.push([`${say(label)}: ${number(value[1], figure.digits)}${mark}`, slot]);
      if (reach && t === reach.last) { // whose interval it is
        const [low, high] = [reach.low, reach.high].map((v) => number(v, figure.digits));
        lines.push([`${say(reach.label)}: ${low} … ${high}`, slot]);
      }
    }
    return box(...lines);
  }

  function time(page, figure, { still }) {
    const [min, max] = figure.bounds ?? [null, null];
    const log = { type: "log", logBase: 2, min: "dataMin", max: "dataMax" };
    const scale = figure.bounds ? { type: "value", min, max }
      : figure.scale === "log" ? log : { type: "value", scale: true };
    return frame({
      grid: { left: 6, right: 34, top: 24, bottom: still ? 8 : 46, outerBoundsMode: "same" },
      xAxis: axis({
        type: "category", data: page.sessions, splitLine: { show: false },
        axisLabel: { color: colour("--muted"), hideOverlap: true, margin: 13 },
      }),
      yAxis: axis(scale),
      dataZoom: {
        show: !still, filterMode: "weakFilter", height: 18, bottom: 8, showDataShadow: false,
        left: 84, right: 84, // of the dates, which stand beside its ends
        borderColor: colour("--rule"), backgroundColor: colour("--panel"),
        fillerColor: colour("--rule"), textStyle: { color: colour("--muted") },
        handleStyle: { color: colour("--paper"), borderColor: colour("--muted") },
        moveHandleStyle: { color: colour("--muted") },
      },
      tooltip: tooltip({
        trigger: "axis",
        formatter: (params) => timeReading(page, figure, params),
      }),
      series: [
        shades(figure), ...figure.lines.flatMap(strokes), ...figure.lines.flatMap(reaches),
        marks(figure, 0, page.sessions.length - 1),
      ],
    });
  }

  // --- others -----------------------------------------------------------------------------------

  function rotation(page, figure) {
    const all = figure.lines.flatMap((line) => [...line.x, ...line.y]).map((v) => Math.abs(v - 100));
    const { max: reach, interval } = even(0, Math.max(1, ...all) * 1.1, 3);
    const [low, high] = [100 - reach, 100 + reach];
    const words = page.words;
    const corner = (text, x, y, position) => [
      { xAxis: x[0], yAxis: y[0], name: say(text), label: { position } }, { xAxis: x[1], yAxis: y[1] },
    ];
    const quarter = [
      corner(words.leading, [100, high], [100, high], "insideTopRight"),
      corner(words.weakening, [100, high], [low, 100], "insideBottomRight"),
      corner(words.lagging, [low, 100], [low, 100], "insideBottomLeft"),
      corner(words.improving, [low, 100], [100, high], "insideTopLeft"),
    ];
    // Two strokes a tail, as over time; the point that they share has its dot once.
    const tails = figure.lines.flatMap((line, n) => {
      const points = line.x.map((x, i) => ({
        value: [x, line.y[i]], line, at: i, symbolSize: i === line.x.length - 1 ? 12 : 5,
        itemStyle: { color: (i < line.tested ? pale : ink)(line.slot) },
      }));
      const stroke = (part, data, style) => ({
        id: `${n} ${part}`, name: say(line.label), type: "line", data, showAllSymbol: true,
        symbol: "circle", itemStyle: { color: ink(line.slot) }, lineStyle: style,
      });
      const shared = points.slice(0, line.tested).slice(-1).map((p) => ({ ...p, symbol: "none" }));
      return [
        stroke("tested", points.slice(0, line.tested), { width: 1, color: pale(line.slot) }),
        stroke("live", [...shared, ...points.slice(line.tested)], { width: 2, color: ink(line.slot) }),
      ];
    });
    const areas = {
      id: "quarters", type: "line", data: [], silent: true,
      markArea: {
        silent: true, itemStyle: { color: "transparent" },
        label: { color: colour("--muted"), fontSize: 12 }, data: quarter,
      },
      markLine: edge({ label: { show: false }, data: [{ xAxis: 100 }, { yAxis: 100 }] }),
    };
    const [across, up] = AXES.map((name) => axis({
      type: "value", min: low, max: high, interval,
      name: say(name), nameLocation: "middle", nameGap: 26,
    }));
    return frame({
      grid: { left: 34, right: 16, top: 14, bottom: 34, outerBoundsMode: "same" },
      xAxis: across, yAxis: up,
      tooltip: tooltip({
        trigger: "item",
        formatter: ({ data: { line, at } }) => {
          const [x, y] = [line.x[at], line.y[at]].map((v) => number(v, figure.digits));
          const day = `${line.days[at]}${at < line.tested ? hindsight(page) : ""}`;
          return box([say(line.label), line.slot], [day], [`${x} / ${y}`]);
        },
      }),
      series: [...tails, areas],
    });
  }

  function bars(page, figure) {
    const reach = [...figure.y, 1.2 * figure.band, -1.2 * figure.band];
    const lines = figure.band === null ? []
      : [{ yAxis: figure.band }, { yAxis: -figure.band }];
    return frame({
      grid: { left: 6, right: 16, top: 14, bottom: 34, outerBoundsMode: "same" },
      xAxis: axis({
        type: "category", data: figure.x.map(String), splitLine: { show: false },
        name: say(page.words.lag), nameLocation: "middle", nameGap: 24,
      }),
      yAxis: axis({ type: "value", ...even(Math.min(...reach), Math.max(...reach), 5) }),
      tooltip: tooltip({
        trigger: "item",
        formatter: ({ dataIndex }) => box(
          [`${say(page.words.lag)}: ${figure.x[dataIndex]}`],
          [`${number(figure.y[dataIndex], figure.digits)}${figure.tested ? hindsight(page) : ""}`],
        ),
      }),
      series: [{
        type: "bar", data: figure.y, barMaxWidth: 22,
        itemStyle: { color: (figure.tested ? pale : ink)(figure.slot) },
        markLine: edge({
          data: lines, precision: figure.digits, label: {
            ...edge().label, position: "insideEndTop",
            formatter: ({ value }) => number(value, figure.digits),
          },
        }),
      }],
    });
  }

  function offsets(page, figure) {
    const lines = figure.lines.map((line) => ({
      name: say(line.label), type: "line", data: line.y, showSymbol: false,
      itemStyle: { color: ink(line.slot) },
      lineStyle: line.tested ? { width: 1.4, color: pale(line.slot) }
        : { width: 2, color: ink(line.slot) },
    }));
    const event = { // of no line, or it would be hidden with that
      id: "event", type: "line", data: [], silent: true,
      markLine: edge({ label: { show: false }, data: [{ xAxis: "0" }] }),
    };
    return frame({
      grid: { left: 6, right: 16, top: 14, bottom: 34, outerBoundsMode: "same" },
      xAxis: axis({
        type: "category", data: figure.lines[0].x.map(String), splitLine: { show: false },
        name: say(page.words.offset), nameLocation: "middle", nameGap: 24,
      }),
      yAxis: axis({
        type: "value", splitNumber: 4, axisLabel: { color: colour("--muted"), formatter: "{value} %" },
      }),
      tooltip: tooltip({
        trigger: "axis",
        formatter: (params) => box(
          [`${say(page.words.offset)}: ${params[0]?.axisValue}`],
          ...params.filter(({ value }) => value !== null && value !== undefined).map((one) => {
            const line = figure.lines[one.seriesIndex];
            const mark = line.tested ? hindsight(page) : "";
            return [
              `${say(line.label)}: ${number(line.y[one.dataIndex], figure.digits)} %${mark}`, line.slot,
            ];
          }),
        ),
      }),
      series: [...lines, event],
    });
  }

  // Where each segment begins its name; those that have no room for it are named with the one
  // before, after a comma or on lines of their own.
  function headings(segments, apart, between) {
    const groups = segments.map(() => "");
    let at = -apart;
    segments.forEach((segment, i) => {
      if (segment === segments[i - 1]) return;
      if (i - at >= apart) at = i;
      if (!groups[at]) groups[at] = segment;
      else if (between) groups[at] += `${between}${segment}`;
    });
    return groups;
  }

  const heats = () => ["--cold", "--paper", "--hot"].map(colour);

  function heat(page, figure, { room: [across, down] }) {
    const cells = [];
    figure.values.forEach((row, i) => row.forEach((value, j) => {
      if (value === null) return;
      cells.push([j, i, value]);
      if (i !== j) cells.push([i, j, value]);
    }));
    const narrow = across < 480; // a telephone: the names along one side are enough
    // A name takes 12 pixels beside a row, 20 aslant under a column; the names have room too.
    const side = (room, more) => {
      const upright = more.rotate === undefined;
      const most = Math.max(room - (upright ? 110 : 200), 100);
      const apart = Math.ceil(((upright ? 12 : 20) * figure.segments.length) / most);
      const between = upright ? (narrow ? ",\n" : ", ") : "";
      const groups = headings(figure.segments, apart, between);
      return {
        type: "category", data: figure.symbols, axisTick: { show: false },
        axisLine: { show: false }, splitLine: { show: false },
        axisLabel: {
          color: colour("--muted"), fontSize: 10, lineHeight: 11, interval: (i) => groups[i] !== "",
          formatter: (_, i) => groups[i], ...more,
        },
      };
    };
    return frame({
      grid: { left: 6, right: 16, top: 8, bottom: 8, outerBoundsMode: "same" },
      xAxis: side(across, { rotate: 60, show: !narrow }), yAxis: { ...side(down, {}), inverse: true },
      visualMap: {
        show: false, min: -1, max: 1,
        inRange: { color: heats() },
      },
      tooltip: tooltip({
        trigger: "item",
        formatter: ({ value: [j, i, r] }) => box(
          [`${figure.symbols[i]} ${figure.names[i]}`], [`${figure.symbols[j]} ${figure.names[j]}`],
          [number(r, figure.digits)],
        ),
      }),
      series: [{ type: "heatmap", data: cells, emphasis: { disabled: true } }],
    });
  }

  // Relative luminance of a colour, as WCAG 2.2 defines it.
  function luminance(channels) {
    const [red, green, blue] = channels.map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  // Of black and white what stands out more on a cell, whose value is from −1, cold, to 1, hot.
  function readable(value) {
    const [cold, middle, hot] = heats().map((shade) => echarts.color.parse(shade));
    const end = value < 0 ? cold : hot;
    const under = luminance(middle.map((from, k) => from + Math.abs(value) * (end[k] - from)));
    return (under + 0.05) / 0.05 > 1.05 / (under + 0.05) ? "#000" : "#fff";
  }

  function grid(page, figure, { room: [across] }) {
    const most = Math.max(1e-12, ...figure.cells.map(([, , value]) => Math.abs(value ?? 0)));
    const side = (data, more) => axis({
      type: "category", data, axisTick: { show: false }, axisLine: { show: false },
      splitLine: { show: false }, ...more,
    });
    const label = { color: colour("--muted"), width: Math.min(240, across / 3), overflow: "truncate" };
    return frame({
      grid: { left: 6, right: 16, top: 8, bottom: 30, outerBoundsMode: "same" },
      xAxis: side(figure.columns, { name: figure.across, nameLocation: "middle", nameGap: 26 }),
      yAxis: side(figure.rows, { inverse: true, axisLabel: label }),
      visualMap: {
        show: false, min: -most, max: most,
        inRange: { color: heats() },
      },
      tooltip: tooltip({
        trigger: "item",
        formatter: ({ value: [x, y, value] }) => box(
          [figure.rows[y]], [`${figure.across} ${figure.columns[x]}`], [number(value, figure.digits)],
        ),
      }),
      series: [{
        type: "heatmap", emphasis: { disabled: true },
        data: figure.cells.filter(([, , value]) => value !== null).map((value) => ({
          value, label: { color: readable(value[2] / most) },
        })),
        label: {
          show: across / figure.columns.length > 56,
          formatter: ({ value }) => number(value[2], figure.digits),
        },
      }],
    });
  }

  const kinds = { time, rotation, bars, offsets, heat, grid };
  const option = (page, figure, how) => ({
    ...kinds[figure.kind](page, figure, how), legend: { show: false, selected: how.selected },
  });

  // --- the numbers of a figure as rows ----------------------------------------------------------

  const cell = (value) => (value === null || value === undefined ? "" : value);

  // The title of a figure, and the session on which a reader has set its lines to 100.
  function title(page, figure) {
    if (figure.base === undefined) return say(figure.title);
    const day = page.sessions[figure.base];
    return `${say(figure.title)}${say([` (= 100 on ${day})`, `（${day} = 100）`])}`;
  }

  function rows(page, figure) {
    const { words } = page;
    if (figure.kind === "heat") {
      const body = figure.values.map((row, i) => [
        figure.symbols[i], figure.names[i], figure.segments[i],
        ...figure.symbols.map((_, j) => cell(j <= i ? row[j] : figure.values[j][i])),
      ]);
      const head = [words.constituent, words.name, words.segment].map(say);
      return [[...head, ...figure.symbols], ...body];
    }
    if (figure.kind === "grid") {
      const body = figure.rows.map((row) => [row, ...figure.columns.map(() => "")]);
      for (const [x, y, value] of figure.cells) body[y][x + 1] = cell(value);
      return [[figure.across, ...figure.columns], ...body];
    }
    if (figure.kind === "bars") {
      const head = [say(words.lag), `${say(figure.title)}${figure.tested ? hindsight(page) : ""}`];
      return [head, ...figure.x.map((x, i) => [x, cell(figure.y[i])])];
    }
    if (figure.kind === "offsets") {
      const names = figure.lines.map((l) => `${say(l.label)}${l.tested ? hindsight(page) : ""}`);
      const head = [say(words.offset), ...names];
      return [head, ...figure.lines[0].x.map((x, i) => [x, ...figure.lines.map((l) => cell(l.y[i]))])];
    }
    if (figure.kind === "rotation") {
      const head = [say(words.date), say(words.pair), ...AXES.map(say), say(words.backtested)];
      return [head, ...figure.lines.flatMap((line) => (
        line.days.map((day, i) => [day, say(line.label), line.x[i], line.y[i], i < line.tested])
      ))];
    }
    const lines = figure.lines.filter((line) => line.button);
    const at = lines.map((line) => new Map(line.rows.map((row, i) => [row, i])));
    const head = [
      say(words.date), ...lines.flatMap((l) => [say(l.label), `${say(l.label)} (${say(words.backtested)})`]),
    ];
    const body = page.sessions.map((day, t) => [
      day,
      ...lines.flatMap((line, n) => {
        const i = at[n].get(t);
        const value = i === undefined ? null : line.shownValues[i];
        return value === null ? ["", ""] : [value, i < line.tested];
      }),
    ]);
    return [head, ...body.filter((row) => row.slice(1).some((one) => one !== ""))];
  }

  return { colour, decoded, element, inView, option, rows, say, title, variable };
})();
