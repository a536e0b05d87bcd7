/** Who answers a path: Hono the `api` and `probe` areas, Next the rest. */
export type Area = 'api' | 'probe' | 'asset' | 'page'

const PROBES = ['/healthz', '/readyz', '/metrics']

export function areaOf(path: string): Area {
  if (path === '/api' || path.startsWith('/api/')) return 'api'
  if (PROBES.includes(path)) return 'probe'
  return path.startsWith('/_next/') || path.startsWith('/__next') ? 'asset' : 'page'
}

/** The path of a request line, which may hold an absolute URL. */
export function pathOf(url = '/'): string {
  return url.startsWith('/') ? url.split('?', 1)[0]! : (URL.parse(url)?.pathname ?? '/')
}
