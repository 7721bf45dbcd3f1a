/* Whether this browser can run the scripts of these pages. One that cannot would stop at their first
   line, or not know them for scripts: it gets a sentence instead (src/parts/old.html). Written for
   browsers of every age (ECMAScript 5); what it asks for came with the versions that vite.config.js
   names. */
(function () {
  "use strict";
  var able =
    "noModule" in document.createElement("script") &&
    typeof AbortSignal === "function" &&
    typeof AbortSignal.timeout === "function" &&
    typeof TextDecoderStream === "function";
  if (able) return;
  var parts = document.body.children;
  for (var index = 0; index < parts.length; index += 1) {
    parts[index].style.display = parts[index].id === "old" ? "block" : "none";
  }
})();
