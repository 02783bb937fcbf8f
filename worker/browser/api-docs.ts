/** Starts Swagger UI on /docs/api. */

/** Defined by swagger-ui-bundle.js. */
declare function SwaggerUIBundle(options: {
  url: string
  dom_id: string
  deepLinking: boolean
  validatorUrl: string | null
}): unknown

SwaggerUIBundle({ url: '/api/v1/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null })
