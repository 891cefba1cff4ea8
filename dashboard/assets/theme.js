/* Before anything is drawn: light or dark, as the cookie says it was chosen, else as the machine is set. */
(function () {
  "use strict";
  var match = document.cookie.match(/(?:^|; )brimwatch_theme=(light|dark)/);
  var theme = match ? match[1] : window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  window.brimwatch = window.brimwatch || {};
  window.brimwatch.setTheme = function (name) {
    var secure = window.location.protocol === "https:" ? "; secure" : "";
    document.cookie = "brimwatch_theme=" + name + "; path=/; max-age=31536000; samesite=lax" + secure;
    document.documentElement.setAttribute("data-mantine-color-scheme", name);
  };
  // Also written at once for the server, which draws the first map in it.
  window.brimwatch.setTheme(theme);
  // And how large the window is, so that the first map fits it.
  document.cookie = "brimwatch_screen=" + window.innerWidth + "x" + window.innerHeight + "; path=/; max-age=31536000; samesite=lax" +
    (window.location.protocol === "https:" ? "; secure" : "");
})();
