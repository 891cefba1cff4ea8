/* How cells of the lists look. */
(function () {
  "use strict";
  var cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

  function h(type, props) {
    return window.React.createElement.apply(null, arguments);
  }

  function chip(data) {
    return h("span", { className: "chip chip-" + (data.due_class || "fine") + " reason-" + data.reason.toLowerCase() }, data.why);
  }

  function level(data) {
    if (data.level === null || data.level === undefined) {
      return h("span", { className: "level level-none" }, h("span", { className: "level-number" }, "not known"));
    }
    var fill = "level-fill" + (data.level >= data.threshold ? " over" : "");
    return h("span", { className: "level" },
      h("span", { className: "level-track" },
        h("span", { className: fill, style: { width: data.level + "%" } }),
        h("span", { className: "level-threshold", style: { left: data.threshold + "%" } })),
      h("span", { className: "level-number" }, data.level + "%"));
  }

  function open(ref) {
    return "/bins/" + encodeURIComponent(ref);
  }

  cells.DueBin = function (props) {
    var data = props.data;
    return h("div", { className: "due-bin" },
      h("div", { className: "due-top" },
        h("span", { className: "due-name" }, data.name),
        data.since ? h("span", { className: "due-since" }, "since " + data.since) : null),
      h("div", { className: "due-where" }, (data.location ? data.location + " · " : "") + data.ref),
      h("div", { className: "due-signs" },
        chip(data), level(data),
        data.priority ? h("span", { className: "due-priority", title: "Priority, 0 to 100" }, "Priority " + data.priority) : null),
      data.explanation ? h("div", { className: "due-words", title: data.explanation }, data.explanation) : null);
  };
  cells.Urgency = function (props) {
    return h("span", { className: "urgency urgency-" + (props.data.due_class || "fine") }, props.value);
  };
  cells.Why = function (props) {
    return h("div", null,
      h("div", { className: "urgency urgency-" + (props.data.due_class || "fine") }, props.data.urgency),
      h("div", null, props.value));
  };
  cells.Level = function (props) { return level(props.data); };
  cells.BinLink = function (props) { return h("a", { href: open(props.data.ref) }, props.value); };
  cells.RefLink = function (props) { return props.value ? h("a", { href: open(props.value) }, props.value) : null; };
  cells.AlertBin = function (props) {
    var data = props.data;
    return h("div", null,
      h("a", { href: open(data.ref) }, data.name),
      h("div", { className: "alert-over" }, data.location ? data.location + " · " : "",
        h("span", { className: "nowrap" }, data.ref)));
  };
  cells.AlertType = function (props) {
    var kind = props.data.open ? "alert alert-" + props.data.type : "alert alert-closed";
    return h("div", null,
      h("div", { className: kind }, props.value),
      props.data.open ? null : h("div", { className: "alert-over" }, "Closed"));
  };
  cells.Notice = function (props) {
    return h("span", { className: props.data.told === "failed" ? "sensor-bad" : "" }, props.value);
  };
  cells.Acknowledge = function (props) {
    if (props.value) {
      return h("div", null, h("div", null, props.value), h("div", { className: "alert-over" }, props.data.when));
    }
    if (!props.data.open) { return null; }
    if (!props.data.may) { return h("span", { className: "alert-over" }, "Nobody yet"); }
    return h("button", {
      className: "button button-small",
      "aria-label": "Acknowledge: " + props.data.what + ", " + props.data.name + ", " + props.data.ref,
      onClick: function () { window.dash_clientside.set_props("alerts-pressed", { data: props.data.id }); }
    }, "Acknowledge");
  };
  cells.SensorState = function (props) {
    return h("span", { className: "sensor " + (props.value === "Working" ? "sensor-ok" : "sensor-bad") }, props.value);
  };
  cells.Volts = function (props) { return typeof props.value === "number" ? props.value.toFixed(2) : null; };
  cells.Ago = function (props) {
    var minutes = props.value;
    if (minutes === null || minutes === undefined) { return "never"; }
    if (minutes < 1) { return "just now"; }
    if (minutes < 120) { return minutes + " min ago"; }
    return minutes < 2880 ? Math.floor(minutes / 60) + " h ago" : Math.floor(minutes / 1440) + " d ago";
  };
})();
