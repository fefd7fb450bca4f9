// What the page works out from published levels: nothing but these, each with the definition that
// the package has for it. Missing values are null.

/** Rows on which both lines have a level, in order of their dates; lines ascend. */
export function joined(a, b) {
  const other = new Map(b.map((row) => [row.date, row]));
  return a
    .filter((row) => other.has(row.date))
    .map((row) => ({ date: row.date, a: row, b: other.get(row.date) }));
}

/** A line as a multiple of its first value, 100 there. */
export function rebased(values) {
  return values.map((value) => (100 * value) / values[0]);
}

/** One line over another, 100 on the first row: relative strength. */
export function ratio(a, b) {
  return a.map((value, t) => (100 * (value / a[0])) / (b[t] / b[0]));
}

/** Differences of log levels between consecutive rows; the first row has none. */
export function logReturns(values) {
  return values.map((value, t) => (t ? Math.log(value) - Math.log(values[t - 1]) : null));
}

/** Pearson correlation of the last `window` pairs; null before, and where a side is constant. */
export function rollingCorrelation(x, y, window) {
  return x.map((_, t) => (t + 1 < window ? null : correlation(x, y, t + 1 - window, t + 1)));
}

function correlation(x, y, from, to) {
  let meanX = 0, meanY = 0, stillX = true, stillY = true;
  for (let t = from; t < to; t++) {
    if (x[t] === null || y[t] === null) return null;
    stillX &&= x[t] === x[from];
    stillY &&= y[t] === y[from];
    meanX += (x[t] - x[from]) / (to - from);
    meanY += (y[t] - y[from]) / (to - from);
  }
  if (stillX || stillY) return null;
  let xx = 0, yy = 0, xy = 0;
  for (let t = from; t < to; t++) {
    const u = x[t] - x[from] - meanX, v = y[t] - y[from] - meanY;
    xx += u * u; yy += v * v; xy += u * v;
  }
  return Math.max(-1, Math.min(1, xy / (Math.sqrt(xx) * Math.sqrt(yy))));
}

/** A table as CSV; what a spreadsheet would take for a formula is marked as text. */
export function csv(columns, rows) {
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value !== "string") return String(value);
    const text = /^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => `${row.map(cell).join(",")}\n`).join("");
}
