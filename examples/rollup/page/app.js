"use strict";
// The page listens to /events and draws the latest windows: a line of means, and behind it the range of values. A window may come twice,
// so it is kept by its device and its end. Names come from devices: they are only ever text.

const shown = 8; // devices with a line: as many as there are colours
const kept = 60; // windows of each
const devices = new Map(); // name → {index, on, button, windows: Map of end → window}
const others = new Set(); // names of devices without a line, the first 1000
const $ = (id) => document.getElementById(id);
const chart = $("chart");
let lastID = "", cursor = null, drawing = false;

function listen() {
  const source = new EventSource("/events" + (lastID ? "?after=" + lastID : ""));
  source.onopen = () => say("live", "Live");
  source.onmessage = (e) => {
    say("live", "Live");
    lastID = e.lastEventId;
    take(JSON.parse(e.data));
  };
  source.addEventListener("live", () => say("live", "Live")); // now and then, though nothing comes
  source.addEventListener("elsewhere", () => say("wait", "Another instance makes the windows; reload for newer ones"));
  source.addEventListener("gap", () => say("wait", "Catching up…"));
  source.onerror = () => {
    say("lost", "Connection lost, trying again…");
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000); // the browser gives up after an error status
  };
}

function say(state, text) {
  if ($("state").textContent === text) return; // a screen reader would say it again
  $("state").dataset.state = state;
  $("state").textContent = text;
}

function take(row) {
  let device = devices.get(row.device);
  if (!device) {
    const index = devices.size < shown ? devices.size : leave();
    if (index === undefined) {
      if (others.size < 1000) others.add(row.device);
      redraw();
      return;
    }
    others.delete(row.device);
    device = { index, on: true, windows: new Map() };
    devices.set(row.device, device);
    addButton(row.device, device);
  }
  device.windows.set(Date.parse(row.until), row);
  if (device.windows.size > 4 * kept) device.windows.delete(device.windows.keys().next().value); // nothing is drawn in a hidden tab
  redraw();
}

// leave takes a device off the page that has no window any more, and returns what is free by that.
function leave() {
  for (const [name, { index, windows, button }] of devices) {
    if (windows.size) continue;
    button.remove();
    devices.delete(name);
    return index;
  }
}

function addButton(name, device) {
  const button = (device.button = document.createElement("button"));
  const line = element("svg", { viewBox: "0 0 18 4", "aria-hidden": true });
  line.append(element("path", { class: "line s" + device.index, d: "M1 2H17" }));
  const label = document.createElement("span");
  label.textContent = name;
  button.append(line, label);
  button.setAttribute("aria-pressed", "true");
  button.onclick = () => {
    device.on = !device.on;
    button.setAttribute("aria-pressed", device.on);
    redraw();
  };
  $("legend").append(button);
}

function redraw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
}

// ends are those of all windows that are shown, in order.
function ends() {
  const all = new Set();
  for (const d of devices.values()) for (const end of d.windows.keys()) all.add(end);
  return [...all].sort((a, b) => a - b).slice(-kept);
}

function draw() {
  const times = ends();
  for (const d of devices.values()) for (const end of d.windows.keys()) if (end < times[0]) d.windows.delete(end);
  const lines = [...devices].filter(([, d]) => d.on && d.windows.size > 0);
  const values = lines.flatMap(([, d]) => [...d.windows.values()].flatMap((w) => [w.min, w.max]));
  $("empty").hidden = values.length > 0;
  if (times.length) $("empty").textContent = "All devices are hidden.";
  if (cursor !== null && !times.includes(cursor)) cursor = null;
  drawTable();
  const some = values.length && lines[0][1].windows.values().next().value;
  if (some) $("size").textContent = " of " + long(some) / 1000 + " s";
  drawReadout(times, lines);
  chart.replaceChildren();
  if (!values.length) return;
  const { width, height } = chart.getBoundingClientRect();
  const [low, high, step] = scale(Math.min(...values), Math.max(...values), height / 60);
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step))));
  const box = { left: 16 + 7 * Math.max(number(low, digits).length, number(high, digits).length), right: width - 16, top: 14, bottom: height - 28 };
  const first = times[0], last = Math.max(times.at(-1), first + 1);
  const x = (t) => box.left + ((t - first) / (last - first)) * (box.right - box.left);
  const y = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
  chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const rules = Math.min(20, Math.round((high - low) / step));
  for (let i = 0; i <= rules; i++) {
    const v = low + i * step;
    chart.append(element("path", { class: "grid", d: `M${box.left} ${y(v)}H${box.right}` }));
    label(box.left - 8, y(v) + 4, "end", number(v, digits));
  }
  const stamps = Math.min(times.length - 1, Math.floor((box.right - box.left) / 110));
  for (let i = 0; i <= stamps; i++) {
    const t = times[Math.round((i * (times.length - 1)) / (stamps || 1))];
    label(x(t), box.bottom + 19, i === 0 ? "start" : i === stamps ? "end" : "middle", clock(t));
  }
  if (cursor !== null) chart.append(element("path", { class: "cursor", d: `M${x(cursor)} ${box.top}V${box.bottom}` }));
  const at = (t, v) => x(t).toFixed(1) + " " + y(v).toFixed(1);
  for (const [, d] of lines) {
    for (const run of runs(d)) {
      const edge = [...run.map(([t, w]) => at(t, w.max)), ...run.toReversed().map(([t, w]) => at(t, w.min))];
      chart.append(element("path", { class: "range s" + d.index, d: "M" + edge.join("L") + "Z" }));
    }
  }
  for (const [name, d] of lines) {
    const line = element("path", { class: "line s" + d.index, d: runs(d).map((run) => "M" + run.map(([t, w]) => at(t, w.mean)).join("L")).join("") });
    line.dataset.device = name;
    chart.append(line);
    const shown = d.windows.get(cursor ?? Math.max(...d.windows.keys()));
    if (shown) chart.append(element("circle", { class: "dot s" + d.index, r: 4.5, cx: x(Date.parse(shown.until)), cy: y(shown.mean) }));
  }
  chart.setAttribute("aria-label", `Line chart: mean of ${lines.length} devices, ${times.length} windows from ${clock(first)} to ${clock(last)}`);
  draw.at = (px) => times.reduce((a, b) => (Math.abs(x(b) - px) < Math.abs(x(a) - px) ? b : a));
}

// runs are the windows of a device in order, cut where some are missing.
function runs(device) {
  const all = [];
  for (const [t, w] of [...device.windows].sort((a, b) => a[0] - b[0])) {
    if (!all.length || t - all.at(-1).at(-1)[0] > 1.5 * long(w)) all.push([]);
    all.at(-1).push([t, w]);
  }
  return all;
}

const long = (w) => Date.parse(w.until) - Date.parse(w.since);

function label(x, y, anchor, text) {
  const t = element("text", { x, y, "text-anchor": anchor });
  t.textContent = text;
  chart.append(t);
}

function element(name, attributes) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  return e;
}

// scale gives round limits around the values, and a round step.
function scale(least, most, steps) {
  if (least === most) [least, most] = [least - (Math.abs(least) * 0.05 || 1), most + (Math.abs(most) * 0.05 || 1)];
  const raw = (most - least) / Math.max(2, steps), power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((n) => n * power >= raw) * power;
  return [Math.floor(least / step) * step, Math.ceil(most / step) * step, step];
}

const number = (v, digits = 2) => (Math.abs(v) >= 1e7 ? v.toExponential(2) : v.toFixed(digits));
const clock = (t) => new Date(t).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

function drawTable() {
  const rows = [...devices].map(([name, d]) => {
    const w = d.windows.get(cursor ?? Math.max(...d.windows.keys()));
    const row = document.createElement("tr");
    const cells = w ? [name, number(w.mean), number(w.min), number(w.max), w.readings, clock(Date.parse(w.until))] : [name, "–", "–", "–", "–", "–"];
    cells.forEach((text, i) => {
      const cell = document.createElement(i ? "td" : "th");
      if (!i) [cell.scope, cell.title] = ["row", name];
      cell.textContent = text;
      row.append(cell);
    });
    return row;
  });
  $("rows").replaceChildren(...rows);
  $("latest").textContent = cursor === null ? "Latest window" : "Window until " + clock(cursor);
  $("more").hidden = others.size === 0;
  $("more").textContent = `${others.size}${others.size === 1000 ? " or more" : ""} other devices are not shown; /rollups has all.`;
}

function drawReadout(times, lines) {
  const text = cursor === null ? "" : clock(cursor) + ": " +
    (lines.filter(([, d]) => d.windows.has(cursor)).map(([name, d]) => name + " " + number(d.windows.get(cursor).mean)).join(", ") || "nothing");
  if ($("readout").textContent !== text) $("readout").textContent = text;
}

function point(to) {
  cursor = to;
  redraw();
}

chart.addEventListener("keydown", (e) => {
  const times = ends(), at = cursor === null ? times.length : times.indexOf(cursor);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: times.length - 1, Escape: times.length }[e.key];
  if (to === undefined || !times.length) return;
  e.preventDefault();
  point(to >= times.length ? null : times[Math.max(0, to)]);
});
chart.addEventListener("pointermove", (e) => draw.at && point(draw.at(e.clientX - chart.getBoundingClientRect().left)));
chart.addEventListener("pointerleave", () => point(null));
new ResizeObserver(redraw).observe(chart);
redraw();
listen();
