import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Problem } from '#protocol/problem.ts'
import { problemHeaders, type Report, toProblem } from './problem.ts'

/** Answers an upgrade that is not taken, as a problem document, and ends the socket. */
export function refuseUpgrade(socket: Duplex, error: unknown, report?: Report): void {
  writeProblem(socket, toProblem(error, report))
}

/** For where there is a socket and no `ServerResponse`. */
export function writeProblem(socket: Duplex, problem: Problem): void {
  if (!socket.writable) return void socket.destroy()
  const body = JSON.stringify(problem)
  const headers = {
    ...problemHeaders(problem),
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`,
  )
}
