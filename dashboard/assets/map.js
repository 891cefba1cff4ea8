/* The map in the browser: choosing a bin, moving the view, the scale bar. */
(function () {
  "use strict";
  var EARTH_M = 40075016.686;
  var TILE_PX = 512; // of MapLibre's world at zoom 0
  var SCALE_PX = 110;
  var EDGE_PX = 14; // so that no mark is cut in half
  var NEAR_ZOOM = 15.5;

  var moves = 0;

  function plot() {
    return document.querySelector("#map-graph .js-plotly-plot");
  }

  function view(gd) {
    var map = gd && gd._fullLayout && gd._fullLayout.map;
    return map ? { lon: map.center.lon, lat: map.center.lat, zoom: map.zoom } : null;
  }

  // The figure itself is moved (`show` below): what is only told to plotly is undone by the next news.
  function moveTo(center, zoom) {
    moves += 1;
    var view = { center: center, zoom: Math.min(Math.max(zoom, 2), 19), move: moves };
    window.dash_clientside.set_props("map-view", { data: view });
  }

  function mercator(lat) {
    return Math.log(Math.tan(Math.PI / 4 + lat * Math.PI / 360));
  }

  function fit(gd) {
    var bounds = gd.layout.meta;
    var box = gd.getBoundingClientRect();
    if (!bounds || box.width < 50) { return; }
    var low = mercator(bounds.south);
    var high = mercator(bounds.north);
    var wide = Math.log2((box.width - 2 * EDGE_PX) * 360 / (TILE_PX * (bounds.east - bounds.west)));
    var tall = Math.log2((box.height - 2 * EDGE_PX) * 2 * Math.PI / (TILE_PX * (high - low)));
    var lat = (2 * Math.atan(Math.exp((low + high) / 2)) - Math.PI / 2) * 180 / Math.PI;
    moveTo({ lon: (bounds.west + bounds.east) / 2, lat: lat }, Math.min(wide, tall, 17));
  }

  function scale() {
    var gd = plot();
    var now = view(gd);
    if (!now) { return; }
    var box = document.getElementById("map-scale");
    if (!box) {
      box = document.createElement("div");
      box.id = "map-scale";
      box.setAttribute("role", "img");
      gd.closest(".map-box").appendChild(box);
    }
    var metresPerPx = EARTH_M * Math.cos(now.lat * Math.PI / 180) / (TILE_PX * Math.pow(2, now.zoom));
    var most = metresPerPx * SCALE_PX;
    var power = Math.pow(10, Math.floor(Math.log10(most)));
    var metres = [5, 2, 1].map(function (n) { return n * power; }).find(function (n) { return n <= most; });
    var words = metres >= 1000 ? metres / 1000 + " km" : metres + " m";
    box.style.width = Math.round(metres / metresPerPx) + "px";
    if (box.textContent !== words) {
      box.textContent = words;
      box.setAttribute("aria-label", "Scale: the bar is " + words);
    }
  }

  function watch() {
    var gd = plot();
    if (gd && gd.on && !gd.brimwatchWatched && gd._fullLayout && gd._fullLayout.map) {
      gd.brimwatchWatched = true;
      gd.on("plotly_relayout", scale);
      gd.on("plotly_relayouting", scale);
      gd.on("plotly_afterplot", scale);
      scale();
    }
  }

  // Dash draws the graph when its page is shown, and anew when one comes back to it.
  new MutationObserver(watch).observe(document.documentElement, { childList: true, subtree: true });

  function triggered() {
    var list = window.dash_clientside.callback_context.triggered || [];
    return list.length ? list[0].prop_id : "";
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.map = {
    toggleKind: function () {
      var kinds = ["must_go", "may_go", "unknown", "fine", "bare"];
      var now = arguments[arguments.length - 1];
      var pressed = triggered().replace("map-tile-", "").replace(".n_clicks", "");
      var next = pressed === now ? "" : pressed;
      return [next].concat(kinds.map(function (kind) { return kind === next ? "true" : "false"; }));
    },
    choose: function (click, rows, closes, chosen) {
      var no = window.dash_clientside.no_update;
      var from = triggered();
      if (from.indexOf("map-close") !== -1) {
        return closes.some(Boolean) ? null : no;
      }
      if (from === "map-graph.clickData") {
        var point = click && click.points && click.points[0];
        return point && point.customdata ? point.customdata : no;
      }
      var row = rows && rows[0];
      if (!row || row.ref === chosen) { return no; }
      var now = view(plot());
      moveTo({ lon: row.lon, lat: row.lat }, Math.max(now ? now.zoom : 0, NEAR_ZOOM));
      return row.ref;
    },
    show: function (view, figure) {
      if (!view || !figure) { return window.dash_clientside.no_update; }
      var map = Object.assign({}, figure.layout.map, { center: view.center, zoom: view.zoom });
      // Another revision makes plotly let go of where the view was dragged to.
      var layout = Object.assign({}, figure.layout, { map: map, uirevision: "map-" + view.move });
      return Object.assign({}, figure, { layout: layout });
    },
    move: function () {
      var no = window.dash_clientside.no_update;
      var gd = plot();
      var now = view(gd);
      if (!now) { return no; }
      var from = triggered();
      if (from === "map-zoom-in.n_clicks") {
        moveTo({ lon: now.lon, lat: now.lat }, now.zoom + 1);
      } else if (from === "map-zoom-out.n_clicks") {
        moveTo({ lon: now.lon, lat: now.lat }, now.zoom - 1);
      } else {
        fit(gd);
      }
      return no;
    }
  };
})();
