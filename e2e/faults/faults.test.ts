import { test } from 'vitest'
import { killTheAgent, killTheAgentWhileTheServerIsDown, runWithoutServer } from './agent-kills.ts'
import { writeAsACrowd } from './crowd.ts'
import { fillTheDisk, mountSmallDisk } from './full-disk.ts'
import { useABadNetwork } from './network.ts'
import { killTheServer } from './server-kills.ts'
import { readTooSlowly } from './slow-reader.ts'

const seed = Number(process.env.KERUTA_FAULT_SEED ?? Math.floor(Math.random() * 1_000_000))
const LIMIT = 60_000

/** The seed is part of the title, and so of every failure: KERUTA_FAULT_SEED runs it again. */
const withSeed = (title: string) => `${title} (seed ${seed})`

test(
  withSeed('a server that is killed again and again keeps every line once, and its readers miss none'),
  async () => {
    await killTheServer({ seed, lines: 20_000, kills: 3 })
  },
  LIMIT,
)

test(
  withSeed('what a killed agent had stored or spooled is delivered by the next agent'),
  async () => {
    await killTheAgent({ seed, lines: 20_000, kills: 2 })
  },
  LIMIT,
)

test(
  'an agent that is killed while the server is down has lost nothing that it read',
  async () => {
    await killTheAgentWhileTheServerIsDown({ lines: 5000 })
  },
  LIMIT,
)

test(
  'a script runs to its end without a server, and the next agent delivers its log and its end',
  async () => {
    await runWithoutServer({ lines: 5000 })
  },
  LIMIT,
)

test(
  withSeed('a network that cuts, stalls and halves frames costs no line and doubles none'),
  async () => {
    await useABadNetwork({ seed, lines: 20_000, cuts: 25 })
  },
  LIMIT,
)

test(
  withSeed('two agents and three REST callers on one task keep their orders'),
  async () => {
    await writeAsACrowd({ seed, lines: 2000 })
  },
  LIMIT,
)

test(
  'a reader that does not read gets a gap and costs no memory',
  async () => {
    await readTooSlowly({ lines: 1_000_000, mostMb: 60 })
  },
  LIMIT,
)

test(
  'a full disk refuses lines with a reason, and everything goes on when there is room',
  async ({ skip }) => {
    const disk = mountSmallDisk(32)
    if ('reason' in disk) return skip(disk.reason)
    try {
      await fillTheDisk({ path: disk.path, lines: 20_000 })
    } finally {
      disk.unmount()
    }
  },
  LIMIT,
)
