/* Light or dark before anything is drawn: the cookie says what was chosen, else the machine's own setting counts. */
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
})();
