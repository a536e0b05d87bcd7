import { readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { canReadSyscalls, waitOf } from './syscalls.ts'
import { type WaitedFds, waitedFds } from './waited-fds.ts'

/**
 * What a script does about its input: it is blocked in reading it; it listens to it among other things, or only for a moment; it does
 * neither; or this system does not say.
 */
export type Reading = 'reads' | 'listens' | 'no' | 'unknown'

/** The child's end of what it reads from, told from all others. */
export interface InputIdentity {
  dev: number
  ino: number
  /** A terminal: other descriptors than those that were given to the child may lead to it. */
  rdev?: number
}

/** The device `/dev/tty`, which is whatever terminal the process has. */
const OWN_TERMINAL = 0x500
/** Shorter waits are those of a program that does something else meanwhile. */
const LONG_MS = 1000

/** Looks whether a process, or one that it has started, waits for input. Takes a fraction of a millisecond a process. */
export function readingOf(root: number, input: InputIdentity): Reading {
  if (!canReadSyscalls) return 'unknown'
  let result: Reading = 'no'
  for (const pid of familyOf(root)) {
    const reading = readingOfProcess(pid, input)
    if (reading === 'reads') return reading
    if (reading === 'listens' || (reading === 'unknown' && result === 'no')) result = reading
  }
  return result
}

function familyOf(root: number): number[] {
  const family = [root]
  for (let at = 0; at < family.length; at++) {
    const pid = family[at]!
    for (const thread of tryRead(() => readdirSync(`/proc/${pid}/task`)) ?? []) {
      const children = tryRead(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1'))
      if (children) family.push(...children.trim().split(' ').filter(Boolean).map(Number))
    }
  }
  return family
}

function readingOfProcess(pid: number, input: InputIdentity): Reading {
  let result: Reading = 'no'
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const call = waitOf(readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'latin1'))
      if (!call) continue
      const reading = judge(pid, waitedFds(pid, call.wait, call.args), input)
      if (reading === 'reads') return reading
      if (reading === 'listens') result = reading
    }
  } catch (error) {
    // ENOENT and ESRCH: it has ended meanwhile.
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' || code === 'EPERM' || code === 'EIO' ? 'unknown' : result
  }
  return result
}

function judge(pid: number, { fds, timeoutMs, kind }: WaitedFds, input: InputIdentity): Reading {
  const others = fds.filter(fd => !isInput(pid, fd, input))
  if (others.length === fds.length) return 'no'
  if (kind === 'read') return 'reads'
  const alone = others.every(fd => isOwnDevice(pid, fd))
  return alone && timeoutMs >= (kind === 'loop' ? Number.POSITIVE_INFINITY : LONG_MS) ? 'reads' : 'listens'
}

function isInput(pid: number, fd: number, input: InputIdentity): boolean {
  const stats = tryRead(() => statSync(`/proc/${pid}/fd/${fd}`))
  if (!stats) return false
  if (input.rdev === undefined) return isSame(stats, input)
  return (
    stats.isCharacterDevice() &&
    (stats.rdev === input.rdev || (stats.rdev === OWN_TERMINAL && terminalOf(pid) === input.rdev))
  )
}

function isSame(stats: Stats, input: InputIdentity): boolean {
  return stats.dev === input.dev && stats.ino === input.ino
}

/** tty_nr of /proc/pid/stat */
function terminalOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4])
}

/** Whether a descriptor only wakes the process itself: an event loop has such beside what it waits for. */
function isOwnDevice(pid: number, fd: number): boolean {
  const link = linkOf(pid, fd)
  if (/^anon_inode:\[(eventfd|io_uring|signalfd|eventpoll)\]/.test(link)) return true
  if (!link.startsWith('pipe:')) return false
  const all = readdirSync(`/proc/${pid}/fd`).map(name => linkOf(pid, Number(name)))
  return all.filter(each => each === link).length > 1
}

function linkOf(pid: number, fd: number): string {
  return tryRead(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? ''
}

function tryRead<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
