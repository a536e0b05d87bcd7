import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { ChildEnd } from '../capture/child.ts'
import { memoryKills } from './memory-kills.ts'
import { type Circumstances, outcomeOf } from './outcome.ts'

const AT = '2026-01-01T00:00:00.000Z'
const end = (code: number | null, signal: NodeJS.Signals | null = null): ChildEnd => ({
  code,
  signal,
  abandoned: false,
})
const explained = (ended: ChildEnd, about: Partial<Circumstances> = {}) => {
  const { finish, entry } = outcomeOf(ended, { cancelled: false, killedAfterGrace: false, ...about }, AT)
  return {
    ...(Object.values(finish)[0] as { errorCode?: string; message?: string }),
    level: entry?.level,
    says: entry?.message,
  }
}

describe('an end for want of memory', () => {
  it('is told from a kill by a person', () => {
    expect(explained(end(null, 'SIGKILL'))).toMatchObject({ errorCode: 'SIGKILL', level: 4 })
    expect(explained(end(null, 'SIGKILL'), { outOfMemory: 'here' })).toMatchObject({
      errorCode: 'OUT_OF_MEMORY',
      level: 4,
    })
    // In a control group of its own: only the machine's count has grown.
    expect(explained(end(137), { outOfMemory: 'somewhere' })).toMatchObject({ errorCode: 'OUT_OF_MEMORY' })
  })

  it('of one of its processes explains the code that it exits with', () => {
    const ended = explained(end(2), { outOfMemory: 'here' })
    expect(ended.message).toMatch(/^exited with code 2 after the system had killed one of its processes/)
    expect(explained(end(2), { outOfMemory: 'somewhere' })).toMatchObject({ errorCode: 'EXIT_2' })
    expect(explained(end(0), { outOfMemory: 'here' })).toMatchObject({
      level: 2,
      says: expect.stringContaining('memory'),
    })
  })

  it('is not what a timeout, a cancel or a signal of the agent are', () => {
    const about = { outOfMemory: 'here' } as const
    expect(explained(end(null, 'SIGKILL'), { ...about, timedOutAfterMs: 1000 }).errorCode).toBe('TIMEOUT')
    expect(explained(end(null, 'SIGKILL'), { ...about, cancelled: true }).errorCode).toBe('CANCELLED')
    expect(explained(end(null, 'SIGKILL'), { ...about, forwarded: 'SIGTERM' }).errorCode).toBe('SIGTERM')
  })
})

it('a pipe whose reader has gone is an error, a crash is critical', () => {
  expect(explained(end(null, 'SIGPIPE')).level).toBe(3)
  expect(explained(end(null, 'SIGSEGV')).level).toBe(4)
  expect(explained(end(141)).message).toBe('exited with code 141: a command of it was ended by SIGPIPE')
  expect(explained(end(200)).message).toBe('exited with code 200')
})

describe('the count of processes that were killed for memory', () => {
  let root = ''
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  function machine(files: Record<string, string>): string {
    root = mkdtempSync(join(tmpdir(), 'keruta-root-'))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return root
  }

  it('is that of the own group, with either kind of control groups', () => {
    const events = 'low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n'
    const second = {
      'proc/self/cgroup': '0::/user.slice/a\n',
      'sys/fs/cgroup/user.slice/a/memory.events': events,
    }
    expect(memoryKills(machine(second))).toEqual({ group: 2, machine: 0 })
    const inContainer = { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.events': events }
    expect(memoryKills(machine(inContainer)).group).toBe(2)
    const first = {
      'proc/self/cgroup': '5:cpu,cpuacct:/\n4:memory:/docker/x\n0::/\n',
      'sys/fs/cgroup/memory/docker/x/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 5\n',
      'proc/vmstat': 'nr_free_pages 1\noom_kill 7\n',
    }
    expect(memoryKills(machine(first))).toEqual({ group: 5, machine: 7 })
  })

  it('is zero where nothing is known', () => {
    expect(memoryKills(machine({}))).toEqual({ group: 0, machine: 0 })
  })
})
