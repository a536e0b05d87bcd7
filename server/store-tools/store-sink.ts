import { isDeepStrictEqual } from 'node:util'
import { KerutaError } from '#protocol/errors.ts'
import type { Collection, Store } from '#server/store/store.ts'
import type { Sink } from './sink.ts'
import { type Entity, KINDS, type Kind, storeSource } from './source.ts'

const AT_ONCE = 500

/** @param name of the store, for messages */
export function storeSink(store: Store, name: string): Sink {
  return {
    content: storeSource(store, name),
    async begin(from) {
      const mark = await store.copyMark()
      if (mark ? mark.from !== from : !(await isEmpty(store))) {
        const filled = mark ? `is a copy of ${mark.from}` : 'holds data already'
        throw new KerutaError('CONFLICT', `${name} ${filled}: name an empty place`)
      }
      await store.setCopyMark({ from, done: false })
    },
    async keepSecret(secret) {
      if ((await store.sharedSecret(secret)) !== secret)
        throw new KerutaError('CONFLICT', `${name} has a secret of its own for tokens: name an empty place`)
    },
    async mirror(kind, pages) {
      const collection = collectionOf(store, kind)
      const remove = async (ids: string[]) => {
        if (kind === 'artifacts') for (const id of ids) await store.blobs.remove(id)
        for (let at = 0; at < ids.length; at += AT_ONCE)
          await collection.remove({ id: { in: ids.slice(at, at + AT_ONCE) } })
      }
      let after = ''
      for await (const page of pages) {
        const last = page.at(-1)!.id
        await remove(await mirrorRange(collection, page, { gt: after, lte: last }))
        after = last
      }
      await remove(await mirrorRange(collection, [], { gt: after }))
    },
    place: (taskId, placed) => store.segments.place(taskId, placed),
    raiseHead: (taskId, head) => store.segments.raiseHead(taskId, head),
    wipe: async taskId => void (await store.segments.remove(taskId)),
    async putBlob({ id, size, path }, open) {
      const kept = await store.blobs.size(id)
      if (kept < size) await store.blobs.write(id, kept, await open(kept))
      await store.blobs.seal(id, size, path)
    },
    removeBlob: id => store.blobs.remove(id),
    async finish() {
      await store.setCopyMark({ from: (await store.copyMark())!.from, done: true })
    },
    close: () => store.close(),
  }
}

async function isEmpty(store: Store): Promise<boolean> {
  for (const kind of KINDS) if ((await collectionOf(store, kind).count()) > 0) return false
  return (await store.segments.taskIds('', 1)).length === 0 && (await store.secret()) === undefined
}

/**
 * Reads back what it wrote.
 * @returns the ids within the range that are not wanted
 * @throws KerutaError INTERNAL where the store does not give back what was put in
 */
async function mirrorRange(
  collection: Collection<Entity>,
  wanted: Entity[],
  range: { gt: string; lte?: string },
): Promise<string[]> {
  const there = new Map((await collection.find({ where: { id: range } })).map(one => [one.id, one]))
  const changed: Entity[] = []
  for (const one of wanted) {
    const known = there.get(one.id)
    there.delete(one.id)
    if (known && isSame(known, one)) continue
    changed.push(one)
    if (known) await collection.update({ id: one.id }, one)
    else await collection.insert(one)
  }
  const ids = changed.map(({ id }) => id)
  const back = ids.length === 0 ? [] : await collection.find({ where: { id: { in: ids } } })
  const kept = new Map(back.map(one => [one.id, one]))
  for (const one of changed)
    if (!isSame(kept.get(one.id), one))
      throw new KerutaError('INTERNAL', `${one.id} does not come back from the store as it was put in`)
  return [...there.keys()]
}

/** One store keeps a NUL as its visible symbol. */
export function isSame(a: Entity | undefined, b: Entity): boolean {
  const plain = (one: Entity | undefined) =>
    one &&
    JSON.parse(
      JSON.stringify(one, (_, value) =>
        typeof value === 'string' ? value.replaceAll('\u0000', '\u2400') : value,
      ),
    )
  return isDeepStrictEqual(plain(a), plain(b))
}

/** The port has a type for each kind; here all are treated alike. */
function collectionOf(store: Store, kind: Kind): Collection<Entity> {
  return store[kind] as unknown as Collection<Entity>
}
