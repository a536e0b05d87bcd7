import { closeSync, readSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import type { Terminal } from '../pty/terminal.ts'
import { ChildInput } from './child-input.ts'
import type { OutputSource, Stdin, Stdio } from './stdio.ts'

/** More than a terminal keeps of what nobody has read yet. */
const KEPT_BYTES = 256 * 1024

/** One terminal for both outputs, and for stdin where it is held. */
export function openTerminalStdio({ fd, childFd }: Terminal, stdin: Stdin): Stdio {
  const screen = new ReadStream(fd)
  const input = stdin === 'hold' ? new ChildInput(screen, childFd, true) : undefined
  let take: (source: OutputSource, chunk: Buffer) => void = () => {}

  /**
   * Reads what the child has left, and only then lets its end go: once that is closed, Node 20 takes a read that did not fill its
   * buffer for the last one, and a terminal never gives more than 4 KiB at once.
   */
  function drain(): void {
    const buffer = Buffer.allocUnsafe(64 * 1024)
    for (let bytes = 0; bytes < KEPT_BYTES; ) {
      if (screen.isPaused() || screen.readableLength > 0) {
        // What lies in the stream comes first; it comes in the turn of the resumption.
        screen.once('resume', () => setImmediate(drain))
        return
      }
      const count = readNow(fd, buffer)
      if (count === 0) break
      bytes += count
      take(0, buffer.subarray(0, count))
    }
    closeSync(childFd)
  }

  return {
    handles: [stdin === 'hold' ? childFd : stdin, childFd, childFd],
    // Until its end, or a child that closes all it has would lose its terminal, and its life.
    handOver() {},
    release: drain,
    read(_child, onChunk, onEnd) {
      take = onChunk
      let ended = false
      // The last to let go of a terminal makes reading it fail: that is its end.
      const end = () => {
        if (!ended) onEnd()
        ended = true
      }
      screen.on('data', chunk => onChunk(0, chunk))
      return [screen.on('error', end).on('end', end)]
    },
    input: () => input,
  }
}

/** @returns 0 where nothing is there now */
function readNow(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer)
  } catch {
    return 0
  }
}
