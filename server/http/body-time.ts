import type { IncomingMessage } from 'node:http'
import { pathOf } from './areas.ts'

/** Uploads of artifacts take as long as they take; who brings none for a while is dealt with where they are received. */
const UPLOAD = /^\/api\/v1\/(?:tasks\/[^/]+\/artifacts|artifacts\/[^/]+\/content)$/

/** Calls `late` where a request's body has not come after `ms`: otherwise slow senders could hold connections without end. */
export function limitBodyTime(request: IncomingMessage, ms: number, late: () => void): void {
  const { method, headers, url } = request
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  if (!hasBody || ((method === 'POST' || method === 'PUT') && UPLOAD.test(pathOf(url)))) return
  const timer = setTimeout(late, ms)
  for (const event of ['end', 'close']) request.once(event, () => clearTimeout(timer))
}
