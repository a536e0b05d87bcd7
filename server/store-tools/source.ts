import type { Readable } from 'node:stream'
import type { z } from 'zod'
import { type Artifact, artifactSchema } from '#protocol/artifact.ts'
import { apiKeySchema } from '#protocol/auth.ts'
import { sessionSchema } from '#protocol/session.ts'
import { taskSchema } from '#protocol/task.ts'
import { taskInputSchema } from '#protocol/task-calls.ts'
import type { CollectionReader, SegmentReader, StoreReader } from '#server/store/store.ts'

/** In the order in which they are copied: what names another thing comes after it. */
export const SCHEMAS = {
  sessions: sessionSchema,
  tasks: taskSchema,
  apiKeys: apiKeySchema,
  inputs: taskInputSchema,
  artifacts: artifactSchema,
} satisfies Record<string, z.ZodObject>
export type Kind = keyof typeof SCHEMAS
export const KINDS = Object.keys(SCHEMAS) as Kind[]

export type Entity = { id: string } & Record<string, unknown>

export type LogReader = Pick<SegmentReader, 'head' | 'headers' | 'bodies' | 'taskIds'>

/** Whatever a copy is made of, a store or a backup. */
export interface Source {
  /** The same for the same data, free of passwords. */
  readonly name: string
  readonly logs: LogReader
  /** Where the sums over segments are kept beside them. */
  readonly totals?: SegmentReader['totals']
  /** Pages by rising id. */
  entities(kind: Kind): AsyncIterable<Entity[]>
  artifact(id: string): Promise<Artifact | undefined>
  /** From a byte on. @throws KerutaError NOT_FOUND */
  blob(artifact: Artifact, start: number): Promise<Readable>
  secret(): Promise<string | undefined>
  close(): Promise<void>
}

const PAGE = 500

export function storeSource(store: StoreReader, name: string): Source {
  return {
    name,
    logs: store.segments,
    totals: taskIds => store.segments.totals(taskIds),
    async *entities(kind) {
      const collection = readerOf(store, kind)
      for (let after = ''; ; ) {
        const page = await collection.find({ where: { id: { gt: after } }, limit: PAGE })
        if (page.length > 0) yield page
        if (page.length < PAGE) return
        after = page.at(-1)!.id
      }
    },
    artifact: id => store.artifacts.get(id),
    blob: ({ id, size }, start) => store.blobs.read(id, start, size),
    secret: () => store.secret(),
    close: () => store.close(),
  }
}

/** The port has a type for each kind; here all are treated alike. */
function readerOf(store: StoreReader, kind: Kind): CollectionReader<Entity> {
  return store[kind] as unknown as CollectionReader<Entity>
}
