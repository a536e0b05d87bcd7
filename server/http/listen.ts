import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ErrorCode, KerutaError } from '#protocol/errors.ts'

/**
 * Listens, or says in one line why it cannot.
 * @param port 0 for any free one
 * @returns where it listens
 */
export async function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    const [known, reason] = REASONS[code] ?? (['INTERNAL', (error as Error).message] as const)
    throw new KerutaError(known, `cannot listen on ${host}:${port}: ${reason}`, { cause: error })
  }
  return server.address() as AddressInfo
}

const REASONS: Record<string, readonly [ErrorCode, string]> = {
  EADDRINUSE: ['CONFLICT', 'the port is in use; end what listens there, or set PORT to another'],
  EACCES: ['FORBIDDEN', 'this user may not use that port; set PORT to one above 1023'],
  EADDRNOTAVAIL: [
    'BAD_REQUEST',
    'this machine has no such address; set HOST to 127.0.0.1, or 0.0.0.0 for all',
  ],
  ENOTFOUND: ['BAD_REQUEST', 'no such host name; set HOST to 127.0.0.1, or 0.0.0.0 for all'],
}
