import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** A request that is refused: what is wrong, and what to do. */
export class HttpProblem extends Error {
  readonly status: number
  readonly headers: Record<string, string>

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]']

/**
 * Web pages must not reach a daemon: neither by a name of their own that leads to this machine, nor by a form or script that posts
 * from elsewhere. Beyond this machine the agent's own token is asked for.
 * @param isLocal whether it listens for this machine alone
 * @throws HttpProblem
 */
export function refuseForeign(req: IncomingMessage, isLocal: boolean, token: string | undefined): void {
  const { host = '', origin, authorization } = req.headers
  if (isLocal && !LOCAL_NAMES.includes(nameOf(host)))
    throw new HttpProblem(403, `the host ${host} is not this machine's: use localhost`)
  if (req.method === 'GET' || req.method === 'HEAD') return
  if (origin !== undefined && origin !== `http://${host}`)
    throw new HttpProblem(403, `pages of ${origin} may not do this`)
  if (isLocal) return
  if (token === undefined || !isSame(authorization ?? '', `Bearer ${token}`))
    throw new HttpProblem(
      401,
      "from other machines this needs the agent's own token: Authorization: Bearer …",
      {
        'www-authenticate': 'Bearer',
      },
    )
}

function nameOf(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase()
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
