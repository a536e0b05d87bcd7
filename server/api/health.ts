import { Hono } from 'hono'
import { PROTOCOL_VERSION } from '#protocol/version.ts'
import type { Metrics } from '#server/metrics.ts'

export interface HealthDeps {
  version: string
  /** Resolves where this part of the server works now; rejects with the reason. */
  parts: Record<string, () => Promise<void>>
  /** What is wrong with a part that the server can do without for a while; undefined where nothing is. */
  helpers?: Record<string, () => string | undefined>
  metrics: Pick<Metrics, 'contentType' | 'text'>
}

/** What machines ask a server: whether it is up, whether it can work, and figures. Open to everybody, and without any log text. */
export function healthApi({ version, parts, helpers = {}, metrics }: HealthDeps) {
  const api = new Hono()

  api.get('/healthz', c => c.json({ status: 'ok', version, protocol: PROTOCOL_VERSION }))

  api.get('/readyz', async c => {
    const states = await Promise.all(
      Object.entries(parts).map(async ([name, ready]) => [name, await stateOf(ready)] as const),
    )
    const failing = states.filter(([, state]) => state !== 'ok')
    const problems = Object.entries(helpers).map(([name, problem]) => [name, problem() ?? 'ok'] as const)
    const degraded = problems.some(([, state]) => state !== 'ok')
    const all = Object.fromEntries([...states, ...problems])
    // Other servers have the same Redis: to turn callers away would help nobody.
    if (failing.length === 0) return c.json({ status: degraded ? 'degraded' : 'ready', parts: all })
    return c.json({ status: 'unavailable', parts: all }, 503, { 'Retry-After': '1' })
  })

  api.get('/metrics', async c => {
    return c.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType })
  })

  return api
}

async function stateOf(ready: () => Promise<void>): Promise<string> {
  try {
    await ready()
    return 'ok'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
