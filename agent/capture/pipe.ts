import { spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A pipe's two ends. The child's must be closed here once it has it. */
export interface Pipe {
  readFd: number
  writeFd: number
}

/** More than a pipe holds: what fills the buffer would be asked for more in vain. */
const READ_BYTES = 68 * 1024

/**
 * Real pipes, by named ones that are unlinked at once. Node's own are socket pairs, on which `echo x > /dev/stderr` fails in the
 * child. The writing ends are the child's. `undefined` where none can be made here.
 */
export function makePipes(count: number): Pipe[] | undefined {
  return withFifos(count, path => {
    const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    return { readFd, writeFd: openSync(path, constants.O_WRONLY) }
  })
}

/** The same the other way: the reading end is the child's. */
export function makeInputPipe(): Pipe | undefined {
  const pipes = withFifos(1, path => {
    // Without a reader nobody may write, and a reader waits for a writer.
    const first = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const writeFd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
    const readFd = openSync(path, constants.O_RDONLY)
    closeSync(first)
    return { readFd, writeFd }
  })
  return pipes?.[0]
}

function withFifos(count: number, open: (path: string) => Pipe): Pipe[] | undefined {
  if (process.platform === 'win32') return undefined
  let dir: string
  try {
    dir = mkdtempSync(join(tmpdir(), 'keruta-'))
  } catch {
    return undefined
  }
  try {
    const paths = Array.from({ length: count }, (_, index) => join(dir, String(index)))
    if (spawnSync('mkfifo', ['-m', '600', ...paths]).status !== 0) return undefined
    return paths.map(open)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Reads a pipe into one buffer that is used again and again: a chunk is good until `onChunk` returns. */
export function readPipe(readFd: number, onChunk: (chunk: Buffer) => void, onEnd: () => void): Socket {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  const options = {
    fd: readFd,
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback: (bytes: number) => {
        onChunk(buffer.subarray(0, bytes))
        return true
      },
    },
  }
  const socket = new Socket(options as ConstructorParameters<typeof Socket>[0])
  socket.on('end', onEnd)
  socket.on('error', onEnd)
  socket.resume()
  return socket
}
