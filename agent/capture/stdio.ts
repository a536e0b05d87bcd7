import type { ChildProcess, StdioOptions } from 'node:child_process'
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { ChildInput } from './child-input.ts'
import { makeInputPipe, makePipes, readPipe } from './pipe.ts'

/** `inherit`: this process's own; `ignore`: there is nothing to read; `hold`: this process holds the other end. */
export type Stdin = 'inherit' | 'ignore' | 'hold'

/** 0: stdout, or a terminal; 1: stderr. */
export type OutputSource = 0 | 1

/** How a child's standard streams are made. */
export interface Stdio {
  /** As `spawn` takes them. */
  handles: StdioOptions
  /** The child has them, or could not be started: what is its own is closed here. */
  handOver(): void
  /** The child has ended. */
  release(): void
  /** Begins to read what the child prints. A chunk is good until `onChunk` returns. */
  read(
    child: ChildProcess,
    onChunk: (source: OutputSource, chunk: Buffer) => void,
    onEnd: () => void,
  ): Socket[]
  /** Where stdin is held. */
  input(child: ChildProcess): ChildInput | undefined
}

/** Pipes for both outputs, and for stdin where it is held. */
export function openPipes(stdin: Stdin): Stdio {
  const pipes = makePipes(2)
  const held = stdin === 'hold' && pipes ? makeInputPipe() : undefined
  const input = held && new ChildInput(writeOnly(held.writeFd), held.readFd, false)
  const first = stdin === 'hold' ? (held?.readFd ?? 'pipe') : stdin
  return {
    handles: pipes ? [first, pipes[0]!.writeFd, pipes[1]!.writeFd] : [first, 'pipe', 'pipe'],
    handOver() {
      for (const { writeFd } of pipes ?? []) closeSync(writeFd)
      if (held) closeSync(held.readFd)
    },
    release() {},
    read(child, onChunk, onEnd) {
      const sources: OutputSource[] = [0, 1]
      return sources.map(source => {
        const take = (chunk: Buffer) => onChunk(source, chunk)
        if (pipes) return readPipe(pipes[source]!.readFd, take, onEnd)
        const socket = (source === 0 ? child.stdout : child.stderr) as Socket
        return socket.on('data', take).on('end', onEnd)
      })
    },
    input: child => input ?? (child.stdin ? new ChildInput(child.stdin as Socket, 0, false) : undefined),
  }
}

function writeOnly(fd: number): Socket {
  return new Socket({ fd, readable: false, writable: true })
}
