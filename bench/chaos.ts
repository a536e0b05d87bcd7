// npm run chaos [-- --seed N] [NAME…]: the faults of the tests, longer and at random moments that the seed decides.
import {
  killTheAgent,
  killTheAgentWhileTheServerIsDown,
  runWithoutServer,
} from '../e2e/faults/agent-kills.ts'
import { writeAsACrowd } from '../e2e/faults/crowd.ts'
import { fillTheDisk, mountSmallDisk } from '../e2e/faults/full-disk.ts'
import { useABadNetwork } from '../e2e/faults/network.ts'
import { killWhoServesAQueue } from '../e2e/faults/queue-kills.ts'
import { killTheServer } from '../e2e/faults/server-kills.ts'
import { readTooSlowly } from '../e2e/faults/slow-reader.ts'

/** Each resolves where everything held, with a word where it did not run at all. */
const faults: Record<string, (seed: number) => Promise<string | undefined>> = {
  'server-kills': seed => done(killTheServer({ seed, lines: 200_000, kills: 20 })),
  'agent-kills': seed => done(killTheAgent({ seed, lines: 200_000, kills: 10 })),
  'agent-and-server': () => done(killTheAgentWhileTheServerIsDown({ lines: 200_000 })),
  'no-server': () => done(runWithoutServer({ lines: 200_000 })),
  network: seed => done(useABadNetwork({ seed, lines: 500_000, cuts: 500 })),
  queue: seed => done(killWhoServesAQueue({ seed, tasks: 60, kills: 12 })),
  crowd: seed => done(writeAsACrowd({ seed, lines: 20_000 })),
  'slow-reader': () => done(readTooSlowly({ lines: 3_000_000, mostMb: 60 })),
  'full-disk': () => fullDisk(),
}

const { seed, names } = readArguments(process.argv.slice(2))
console.log(`seed ${seed}: npm run chaos -- --seed ${seed} runs the same again`)
let failed = 0
for (const [name, cause] of Object.entries(faults)) {
  if (names.length > 0 && !names.includes(name)) continue
  const startedAt = performance.now()
  const outcome = await cause(seed).then(
    skipped => (skipped === undefined ? 'held' : `skipped: ${skipped}`),
    error => {
      failed++
      return `FAILED with seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`
    },
  )
  console.log(
    `${name.padEnd(16)} ${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${outcome}`,
  )
}
process.exit(failed > 0 ? 1 : 0)

async function done(fault: Promise<void>): Promise<undefined> {
  await fault
}

async function fullDisk(): Promise<string | undefined> {
  const disk = mountSmallDisk(64)
  if ('reason' in disk) return disk.reason
  try {
    await fillTheDisk({ path: disk.path, lines: 100_000 })
  } finally {
    disk.unmount()
  }
}

function readArguments(words: string[]): { seed: number; names: string[] } {
  const at = words.indexOf('--seed')
  const seed = at < 0 ? Math.floor(Math.random() * 1_000_000) : Number(words[at + 1])
  const names = at < 0 ? words : words.toSpliced(at, 2)
  const unknown = names.filter(name => !(name in faults))
  if (Number.isInteger(seed) && unknown.length === 0) return { seed, names }
  console.error(`--seed takes a whole number; names are ${Object.keys(faults).join(', ')}`)
  process.exit(2)
}
