import { describe, expect, it } from 'vitest'
import type { Store } from '../store.ts'
import { sampleTask } from './samples.ts'

const RACERS = 20

/** What happens when many want the same thing at once. */
export function transitionContract(store: () => Store): void {
  describe('racers', () => {
    const race = <T>(run: (racer: number) => Promise<T>) =>
      Promise.all(Array.from({ length: RACERS }, (_, racer) => run(racer)))

    it('have one winner of a transition by expected state', async () => {
      await store().tasks.insert(sampleTask('t'))
      for (let attempt = 1; attempt <= 5; attempt++) {
        const expected = { id: 't', status: 'PENDING' as const, attempt }
        const changed = await race(racer =>
          store().tasks.update(expected, { attempt: attempt + 1, agentId: `racer ${racer}` }),
        )
        expect(changed.filter(count => count === 1)).toHaveLength(1)
        const winner = changed.indexOf(1)
        expect(await store().tasks.get('t')).toMatchObject({
          agentId: `racer ${winner}`,
          attempt: attempt + 1,
        })
      }
    })

    it('have one winner of an insertion', async () => {
      const inserted = await race(racer => store().tasks.insert(sampleTask('t', { name: `racer ${racer}` })))
      expect(inserted.filter(Boolean)).toHaveLength(1)
      expect((await store().tasks.get('t'))?.name).toBe(`racer ${inserted.indexOf(true)}`)
    })

    it('have one winner of a removal', async () => {
      await store().tasks.insert(sampleTask('t'))
      const removed = await race(() => store().tasks.remove({ id: 't' }))
      expect(removed.reduce((sum, count) => sum + count, 0)).toBe(1)
    })
  })
}
