import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { uuidv7 } from '#protocol/ids.ts'
import type { Metrics } from '#server/metrics.ts'
import { areaOf, pathOf } from './areas.ts'

/** Gives each request an id (a proxy's, where it sent one), logs it without its query, which may hold a token, and measures it. */
export function accessLog(logger: Logger, metrics: Pick<Metrics, 'httpRequest'>) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const began = performance.now()
    const requestId = idOf(request.headers['x-request-id']) ?? uuidv7()
    response.setHeader('x-request-id', requestId)
    response.once('close', () => {
      const path = pathOf(request.url)
      const area = areaOf(path)
      const method = request.method ?? ''
      const status = response.statusCode
      const ms = performance.now() - began
      const streamed = String(response.getHeader('content-type')).startsWith('text/event-stream')
      if (!streamed) metrics.httpRequest(area, method, status, ms / 1000)
      const level = status >= 500 ? 'error' : area === 'api' || status >= 400 ? 'info' : 'debug'
      const cut = !response.writableFinished
      logger[level](
        { requestId, method, path, status, ms: Math.round(ms * 10) / 10, ...(cut && { cut }) },
        'request',
      )
    })
  }
}

function idOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header) ? header : undefined
}
