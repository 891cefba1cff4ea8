/* What all pages do in the browser: title, theme, printing, and saying when news stopped coming. */
(function () {
  "use strict";
  var SILENT_MS = 12000; // four questions without an answer
  var CHECK_MS = 2000;

  var heardAt = null;
  var heardText = "";
  var beatSeen = null;
  var assessNews = "";
  var asking = false;

  function clock(date) {
    return date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  }

  function banner(text) {
    var place = document.getElementById("banner");
    if (place && place.textContent !== text) {
      place.textContent = text;
      place.className = text ? "banner-shown" : "";
    }
  }

  function whatIsWrong() {
    if (asking) { return; }
    asking = true;
    fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(6000) })
      .then(function (answer) {
        if (answer.ok) { return "This page gets no news. Reload it; you may have to sign in again."; }
        return answer.json().then(function (body) { return body.error; });
      })
      .catch(function () { return "Brimwatch does not answer."; })
      .then(function (sentence) {
        asking = false;
        if (Date.now() - heardAt > SILENT_MS) { banner(sentence + " What you see is from " + heardText + "."); }
      });
  }

  setInterval(function () {
    if (heardAt === null || document.visibilityState === "hidden") { return; }
    if (Date.now() - heardAt > SILENT_MS) { whatIsWrong(); } else { banner(assessNews); }
  }, CHECK_MS);

  document.addEventListener("visibilitychange", function () {
    // A hidden page asks rarely; give it time to catch up before complaining.
    if (document.visibilityState === "visible" && heardAt !== null) { heardAt = Math.max(heardAt, Date.now() - SILENT_MS + 5000); }
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.site = {
    setTitle: function (title) {
      if (title) { document.title = title; }
      heardAt = heardAt === null ? Date.now() : heardAt;
      heardText = heardText || clock(new Date());
      return window.dash_clientside.no_update;
    },
    switchTheme: function (clicks, theme) {
      var next = theme === "dark" ? "light" : "dark";
      window.brimwatch.setTheme(next);
      // Only the page that is shown has figures to draw anew; Dash complains of ids that are not there.
      ["map", "bin", "places"].forEach(function (page) {
        if (document.getElementById(page + "-graph")) { window.dash_clientside.set_props(page + "-theme", { data: next }); }
      });
      return [next, next];
    },
    heard: function (beat) {
      if (beat && beat.at !== beatSeen) {
        beatSeen = beat.at;
        heardAt = Date.now();
        heardText = clock(new Date());
        assessNews = beat.waiting ? "Levels have not been worked out since " + beat.waiting + ". What you see is from then." : "";
      }
      return window.dash_clientside.no_update;
    },
    print: function (clicks) {
      if (clicks) { window.print(); }
      return window.dash_clientside.no_update;
    }
  };
})();
