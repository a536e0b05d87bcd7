import { spawnSync } from 'node:child_process'
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

it('a process ends, whatever is compiled in the background', { timeout: 120_000 }, () => {
  const codes = Array.from({ length: 24 }, (_, nth) => {
    const args = ['--input-type=module', '-e', BUSY, '--', String(60 + 5 * nth)]
    return spawnSync(process.execPath, args, { timeout: 20_000, killSignal: 'SIGKILL' }).status
  })
  expect(codes).toEqual(codes.map(() => 7))
})
