import type { ServerResponse } from 'node:http'
import type { Area } from './areas.ts'

/**
 * Nothing from another host, and no frames. Inline scripts have to be let: pages are built once and hold Next's own, which
 * could carry a nonce only if every page were rendered anew for each call. React's development build needs `eval`.
 */
function contentSecurityPolicy(dev: boolean): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'unsafe-inline'${dev ? " 'unsafe-eval'" : ''}`,
    // No handlers in attributes: HTML that slipped in could not run.
    "script-src-attr 'none'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Sets what every answer carries; a handler may set its own instead. */
export function securityHeaders({ dev }: { dev: boolean }): (response: ServerResponse, area: Area) => void {
  const headers = Object.entries({
    'content-security-policy': contentSecurityPolicy(dev),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    // Links to this server may hold a token.
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  })
  return (response, area) => {
    for (const [name, value] of headers) response.setHeader(name, value)
    if (area === 'api') response.setHeader('cache-control', 'no-store')
  }
}
