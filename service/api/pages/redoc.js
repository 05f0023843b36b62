// Shows the OpenAPI document of this service in Redoc, with the fonts of the system.
"use strict";

const fonts = "system-ui, sans-serif";

Redoc.init(
  "openapi.json",
  {
    expandResponses: "200",
    requiredPropsFirst: true,
    theme: {
      colors: { primary: { main: "#2f5d8a" } },
      typography: { fontFamily: fonts, headings: { fontFamily: fonts } },
    },
  },
  document.getElementById("page"),
);
