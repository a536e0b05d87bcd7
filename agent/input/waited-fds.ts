import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import type { Wait } from './syscalls.ts'

/** What a blocked thread waits for. */
export interface WaitedFds {
  fds: number[]
  /** Milliseconds, as far as the call says. */
  timeoutMs: number
  /** A call that reads from one; one that waits for some; one of a loop that turns by timers, too. */
  kind: 'read' | 'wait' | 'loop'
}

const POLLIN = 0x41
const EPOLLIN = 0x41
const MAX_FDS = 4096

/** Descriptors that a call waits to read from. @throws the system's error where the process hides its memory */
export function waitedFds(pid: number, wait: Wait, args: number[]): WaitedFds {
  const [a = 0, b = 0, , d = 0, e = 0] = args
  const c = args[2] ?? 0
  switch (wait) {
    case 'read':
      return { fds: [a], timeoutMs: Number.POSITIVE_INFINITY, kind: 'read' }
    case 'sendfile':
      return { fds: [b], timeoutMs: Number.POSITIVE_INFINITY, kind: 'read' }
    case 'poll':
      return { fds: polled(pid, a, b), timeoutMs: milliseconds(c), kind: 'wait' }
    case 'ppoll':
      return { fds: polled(pid, a, b), timeoutMs: timespec(pid, c), kind: 'wait' }
    case 'select':
    case 'pselect':
      return { fds: selected(pid, a, b), timeoutMs: timespec(pid, e), kind: 'wait' }
    case 'epoll':
      return { fds: registered(pid, a), timeoutMs: milliseconds(d), kind: 'loop' }
    case 'epoll2':
      return { fds: registered(pid, a), timeoutMs: timespec(pid, d), kind: 'loop' }
  }
}

/** An int that /proc shows as what the register held. */
function milliseconds(value: number): number {
  const ms = value >= 2 ** 31 ? -1 : value
  return ms < 0 ? Number.POSITIVE_INFINITY : ms
}

/** The seconds of a timespec or timeval; what is left of a second counts as none. */
function timespec(pid: number, address: number): number {
  return address === 0 ? Number.POSITIVE_INFINITY : Number(memory(pid, address, 16).readBigInt64LE(0)) * 1000
}

function polled(pid: number, address: number, count: number): number[] {
  const size = Math.min(count, MAX_FDS)
  const entries = memory(pid, address, size * 8)
  return Array.from({ length: size }, (_, index) => index * 8)
    .filter(at => entries.readInt32LE(at) >= 0 && (entries.readInt16LE(at + 4) & POLLIN) !== 0)
    .map(at => entries.readInt32LE(at))
}

function selected(pid: number, count: number, address: number): number[] {
  if (address === 0) return []
  const size = Math.min(count, MAX_FDS)
  const bits = memory(pid, address, Math.ceil(size / 64) * 8)
  return Array.from({ length: size }, (_, fd) => fd).filter(fd => (bits[fd >> 3]! >> (fd & 7)) & 1)
}

function registered(pid: number, epollFd: number): number[] {
  const info = readFileSync(`/proc/${pid}/fdinfo/${epollFd}`, 'latin1')
  return [...info.matchAll(/^tfd:\s*(\d+) events:\s*([0-9a-f]+)/gm)]
    .filter(([, , events]) => (Number.parseInt(events!, 16) & EPOLLIN) !== 0)
    .map(([, fd]) => Number(fd))
}

function memory(pid: number, address: number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  if (size === 0) return bytes
  const fd = openSync(`/proc/${pid}/mem`, 'r')
  try {
    readSync(fd, bytes, 0, size, address)
  } finally {
    closeSync(fd)
  }
  return bytes
}
