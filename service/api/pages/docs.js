// Shows the OpenAPI document of this service in Swagger UI. Nothing is asked of another host: not
// the online validator either.
"use strict";

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: null,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  showCommonExtensions: true,
});
