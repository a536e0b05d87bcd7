import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

/** In a process of its own: it changes how the whole process runs. It has no reason of its own to collect much within seconds. */
const PROGRAM = `
  import { constants, PerformanceObserver } from 'node:perf_hooks'
  import { Frugal } from '${new URL('./frugal.ts', import.meta.url)}'
  let ended = false
  const observer = new PerformanceObserver(list => {
    if (list.getEntries().every(({ detail }) => detail.kind !== constants.NODE_PERFORMANCE_GC_MAJOR)) return
    console.log(ended ? 'after the task' : 'within the task')
    process.exit()
  })
  observer.observe({ entryTypes: ['gc'] })
  await new Frugal().during(async () => {
    for (let rest = 20; rest > 0; rest--) await new Promise(resolve => setTimeout(resolve, 100))
  })
  ended = true
  setTimeout(() => console.log('never'), 20_000)
`

it('all garbage is collected when a task has ended and no other follows, and not while one runs', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM])
  expect(stdout.trim()).toBe('after the task')
})
