// Draws a region's chart with uPlot in place of the image, from the same points. Values hold until the next
// point; null is a gap and stays one. Arrow keys move along the time, and the legend says what was then.
(function () {
  "use strict";

  var section = document.getElementById("history");
  var figure = document.getElementById("chart");
  if (!section || !figure || !window.uPlot) return;

  var FIGURES = [["used", "Used"], ["usable", "Usable"], ["free", "Free"], ["total", "Total"]];
  var HIDDEN = { free: true, total: true };
  var BYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  var chart = null;
  var hidden = Object.assign({}, HIDDEN);

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  // As figures.py prints them.
  function text(scale, value) {
    if (value === null || value === undefined) return "–";
    var unit = BYTES.indexOf(scale);
    if (unit < 0) return Math.abs(value) >= 1e13 ? value.toExponential(2) : value.toLocaleString("en").replace(/,/g, "\u202f");
    while (Math.abs(value) >= 1024 && unit < BYTES.length - 1) { value /= 1024; unit += 1; }
    return (Number.isInteger(value) || value >= 100 ? value.toFixed(0) : value.toFixed(1)) + "\u00a0" + BYTES[unit];
  }

  // The last value holds to the end of the range, so it needs a point there.
  function columns(points) {
    var at = points.at.map(function (second) { return Math.max(second, points.since); }).concat(points.until);
    return [at].concat(FIGURES.map(function (each) {
      var values = points[each[0]];
      return values.concat(values.length ? values[values.length - 1] : null);
    }));
  }

  function two(number) { return String(number).padStart(2, "0"); }

  // As in the table: UTC, and the day where more than one is shown.
  function moment(second, days) {
    var at = new Date(second * 1000);
    var day = two(at.getUTCMonth() + 1) + "-" + two(at.getUTCDate());
    return days ? day : two(at.getUTCHours()) + ":" + two(at.getUTCMinutes());
  }

  function options(points) {
    var days = points.until - points.since > 86400;
    var axis = { stroke: color("--soft"), grid: { stroke: color("--hair") }, ticks: { stroke: color("--line") } };
    var strokes = { used: "--used", usable: "--soft", free: "--fresh", total: "--stale-line" };
    var stepped = window.uPlot.paths.stepped({ align: 1 });
    return {
      width: figure.clientWidth,
      height: 260,
      scales: { x: { min: points.since, max: points.until }, y: { range: function (_u, _low, high) { return [0, (high || 1) * 1.05]; } } },
      tzDate: function (second) { return window.uPlot.tzDate(new Date(second * 1000), "Etc/UTC"); },
      axes: [Object.assign({ values: function (_u, all) { return all.map(function (each) { return moment(each, days); }); } }, axis), Object.assign({ size: 80, values: function (_u, all) { return all.map(text.bind(null, points.scale)); } }, axis)],
      series: [{
        label: "Time",
        value: function (_u, second) { return second ? new Date(second * 1000).toISOString().slice(0, 19).replace("T", " ") + " UTC" : "–"; },
      }].concat(FIGURES.map(function (each) {
        var name = each[0];
        return {
          label: each[1],
          show: !hidden[name],
          stroke: color(strokes[name]),
          fill: name === "used" ? color("--used") + "33" : undefined,
          width: 1.6,
          dash: name === "usable" ? [6, 4] : undefined,
          paths: stepped,
          spanGaps: false,
          points: { show: false },
          value: function (_u, value) { return text(points.scale, value); },
        };
      })),
      cursor: { drag: { x: false, y: false } },
      hooks: {
        setSeries: [function (_u, index, change) {
          if (index && change.show !== undefined) hidden[FIGURES[index - 1][0]] = !change.show;
        }],
      },
    };
  }

  function draw(points) {
    if (!points.at.length) return;
    if (chart) chart.destroy();
    figure.replaceChildren();
    figure.tabIndex = 0;
    figure.setAttribute("role", "group");
    figure.setAttribute("aria-label", "Chart; arrow keys move along the time. The table below has the same figures.");
    chart = new window.uPlot(options(points), columns(points), figure);
    chart.root.querySelector(".u-legend").setAttribute("aria-live", "polite");
    chart.points = points;
  }

  function load() {
    fetch(section.dataset.points, { credentials: "same-origin", headers: { Accept: "application/json" } })
      .then(function (answer) {
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        return answer.json();
      })
      .then(draw)
      .catch(function (error) { window.console.warn("The chart could not be read again:", error.message); });
  }

  function move(event) {
    if (!chart) return;
    var at = chart.data[0], index = chart.cursor.idx;
    var steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || event.target !== figure) return;
    event.preventDefault();
    if (index === null || index === undefined) index = at.length;
    index = Math.min(at.length - 1, Math.max(0, index + steps[event.key]));
    chart.setCursor({ left: chart.valToPos(at[index], "x"), top: chart.over.clientHeight / 2 });
  }

  figure.addEventListener("keydown", move);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () {
    if (chart) draw(chart.points);
  });
  new ResizeObserver(function () {
    if (chart && figure.clientWidth) chart.setSize({ width: figure.clientWidth, height: 260 });
  }).observe(section);

  load();
  window.setInterval(function () { if (!document.hidden && !figure.contains(document.activeElement)) load(); }, 60000);
})();
