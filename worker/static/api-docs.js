/** Starts Swagger UI on /docs/api. */
window.SwaggerUIBundle({ url: '/api/v1/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null })
