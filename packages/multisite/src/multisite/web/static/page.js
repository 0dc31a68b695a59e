// Small things that HTML does not do by itself: ages count on, a filter applies when it is chosen, a reload
// sends nothing again, the reader learns whether the figures are live, and a selection stays. Updates
// themselves are htmx's work.
(function () {
  "use strict";

  var SPACE = "\u00a0";
  var since = new WeakMap(); // <time> element -> performance.now() at the moment that it tells of

  function two(large, largeUnit, small, smallUnit) {
    return large + SPACE + largeUnit + (small ? " " + small + SPACE + smallUnit : "");
  }

  // The same texts as figures.ago() on the server.
  function ago(seconds) {
    var s = Math.max(0, Math.floor(seconds));
    if (s < 60) return s + SPACE + "s ago";
    if (s < 3600) return Math.floor(s / 60) + SPACE + "min ago";
    if (s < 86400) return two(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min") + " ago";
    return two(Math.floor(s / 86400), "d", Math.floor((s % 86400) / 3600), "h") + " ago";
  }

  // Counts from the age that the server told, so that a wrong clock of the browser does not matter.
  function countAges() {
    var now = performance.now();
    document.querySelectorAll("time[data-age]").forEach(function (element) {
      if (!since.has(element)) since.set(element, now - 1000 * Number(element.dataset.age));
      var text = ago((now - since.get(element)) / 1000);
      if (element.textContent !== text) element.textContent = text;
    });
  }

  function showLive(state, text) {
    var live = document.getElementById("live");
    if (!live || live.dataset.live === state) return;
    live.hidden = false;
    live.dataset.live = state;
    document.getElementById("live-text").textContent = text;
  }

  document.addEventListener("htmx:sseOpen", function () { showLive("on", "live"); });
  document.addEventListener("htmx:sseError", function () { showLive("off", "not live: reconnecting"); });
  document.addEventListener("htmx:sseClose", function (event) {
    if (event.detail.type === "message") window.location.assign(event.target.dataset.login);
  });

  document.querySelectorAll("form[data-autosubmit]").forEach(function (form) {
    form.addEventListener("change", function () { form.requestSubmit(); });
  });

  // Who clicks twice sends once; the server makes sure of it, this only shows that it was heard.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!form.hasAttribute("data-once")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    });
  });

  // A form that was refused is answered at its own address: a reload shows the page, and does not send it again.
  document.querySelectorAll("[data-address]").forEach(function (element) {
    window.history.replaceState(null, "", element.dataset.address);
  });

  // While somebody selects text in a live list, news of it wait; then the list is asked for anew.
  var held = false;
  function selecting() {
    var chosen = window.getSelection(), rows = document.getElementById("rows");
    return Boolean(rows && chosen && !chosen.isCollapsed && rows.contains(chosen.anchorNode));
  }
  document.addEventListener("htmx:sseBeforeMessage", function (event) {
    if (event.detail.type !== "update" || !selecting()) return;
    event.preventDefault();
    held = true;
  });
  document.addEventListener("selectionchange", function () {
    if (!held || selecting()) return;
    held = false;
    window.htmx.ajax("GET", window.location.href, { target: "#listing", swap: "outerHTML" });
  });

  // A list of choices closes when somebody goes on elsewhere.
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.choose[open]").forEach(function (choose) {
      if (!choose.contains(event.target)) choose.open = false;
    });
  });
  document.addEventListener("keydown", function (event) {
    var choose = event.key === "Escape" && event.target.closest("details.choose[open]");
    if (!choose) return;
    choose.open = false;
    choose.querySelector("summary").focus();
  });

  countAges();
  window.setInterval(countAges, 1000);
})();
