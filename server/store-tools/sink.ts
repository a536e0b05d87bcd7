import type { Readable } from 'node:stream'
import type { Artifact } from '#protocol/artifact.ts'
import type { PlacedSegment, TaskHead } from '#server/store/store.ts'
import type { Entity, Kind, Source } from './source.ts'

/** Whatever a copy is put into, a store or a backup. */
export interface Sink {
  /** What it has. */
  readonly content: Source
  /**
   * Before all else.
   * @throws KerutaError CONFLICT where it holds data that is not of an earlier copy from there
   */
  begin(from: string): Promise<void>
  keepSecret(secret: string): Promise<void>
  /** Makes the entities of a kind the same as these; bytes of artifacts that are not among them go, too. */
  mirror(kind: Kind, pages: AsyncIterable<Entity[]>): Promise<void>
  /** Repeated it changes nothing. */
  place(taskId: string, placed: PlacedSegment[]): Promise<void>
  raiseHead(taskId: string, head: TaskHead): Promise<void>
  /** Forgets the lines of a task. */
  wipe(taskId: string): Promise<void>
  /** Goes on where an earlier call stopped. @param open the bytes from an offset on */
  putBlob(artifact: Artifact, open: (start: number) => Promise<Readable>): Promise<void>
  removeBlob(id: string): Promise<void>
  /** After all else: it is whole. */
  finish(): Promise<void>
  close(): Promise<void>
}
