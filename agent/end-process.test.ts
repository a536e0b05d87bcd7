import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'

/** Much to compile in the background, and much garbage beside V8's heap. */
const BUSY = `
import { endProcess } from '${new URL('end-process.ts', import.meta.url)}'
const functions = Array.from({ length: 240 }, (_, i) => new Function('x', \`
  let s = \${i}
  for (let j = 0; j < 200; j++) { s += Math.imul(x, j) ^ (s >>> 3); if (s & 1) s = [s, j, { a: s }].length + s }
  return s\`))
const end = performance.now() + Number(process.argv[1])
const kept = []
let s = 0
while (performance.now() < end) {
  for (const each of functions) s += each(s | 0)
  kept.push(new Uint8Array(200_000))
  if (kept.length > 200) kept.length = 0
}
endProcess(7)
`

/** Without the cure a few of a hundred such runs hang, so that this is met often but not always. */
const RUNS = 40

it('a process ends, whatever is compiled in the background', { timeout: 120_000 }, async () => {
  const durations = Array.from({ length: RUNS }, (_, nth) => 150 + 3 * nth)
  const codes: (number | null)[] = []
  const run = async (): Promise<void> => {
    for (let ms = durations.pop(); ms !== undefined; ms = durations.pop()) {
      const args = ['--input-type=module', '-e', BUSY, '--', String(ms)]
      const child = spawn(process.execPath, args, { timeout: 20_000, killSignal: 'SIGKILL' })
      codes.push((await once(child, 'exit'))[0])
    }
  }
  await Promise.all([run(), run()])
  expect(codes).toEqual(Array(RUNS).fill(7))
})
