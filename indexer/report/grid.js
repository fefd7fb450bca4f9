"use strict";
// The heat maps of a sweep: one chart a pair, red above zero and blue below it.
const told = JSON.parse(document.getElementById("figures").textContent);
for (const [n, map] of told.entries()) {
  const place = document.getElementById("map" + n);
  place.style.height = `${140 + 22 * map.rows.length}px`;
  const chart = echarts.init(place, null, { renderer: "canvas" });
  const most = Math.max(1e-12, ...map.cells.map((cell) => Math.abs(cell[2] ?? 0)));
  chart.setOption({
    animation: false,
    aria: { enabled: true },
    grid: { left: 260, right: 30, top: 10, bottom: 110 },
    tooltip: {
      formatter: (at) => echarts.format.encodeHTML(
        `${map.rows[at.value[1]]} · ${map.columns[at.value[0]]}: ${at.value[2] ?? "–"}`),
    },
    xAxis: { type: "category", data: map.columns, name: map.across, nameLocation: "middle", nameGap: 30 },
    yAxis: { type: "category", data: map.rows, inverse: true, axisLabel: { width: 240, overflow: "truncate" } },
    visualMap: {
      min: -most, max: most, calculable: true, orient: "horizontal", left: "center", bottom: 0,
      precision: 3, inRange: { color: ["#2166ac", "#f7f7f7", "#b2182b"] },
    },
    series: [{
      type: "heatmap",
      data: map.cells.map(([x, y, value]) => [x, y, value ?? "-"]),
      label: { show: map.cells.length <= 120, formatter: (at) => Number(at.value[2]).toFixed(3) },
    }],
  });
  addEventListener("resize", () => chart.resize());
}
