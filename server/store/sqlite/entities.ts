import { PrismaLibSql } from '@prisma/adapter-libsql'
import { type Artifact, artifactSchema } from '#protocol/artifact.ts'
import { type ApiKey, apiKeySchema } from '#protocol/auth.ts'
import { type Session, sessionSchema } from '#protocol/session.ts'
import { type Task, taskSchema } from '#protocol/task.ts'
import { type TaskInput, taskInputSchema } from '#protocol/task-calls.ts'
import type { Collection } from '#server/store/store.ts'
import { createCollection, type Delegate } from './collection.ts'
import { PrismaClient } from './generated/client.ts'

export interface Entities {
  sessions: Collection<Session>
  tasks: Collection<Task>
  apiKeys: Collection<ApiKey>
  inputs: Collection<TaskInput>
  artifacts: Collection<Artifact>
  ping(): Promise<void>
  close(): Promise<void>
}

/** @param path of a database that is migrated already */
export function openEntities(path: string): Entities {
  const client = new PrismaClient({
    adapter: new PrismaLibSql({ url: `file:${path}` }),
    errorFormat: 'minimal',
  })
  // A delegate's own type is spelled out for one model; a collection is written for all.
  const delegate = (model: 'session' | 'task' | 'apiKey' | 'taskInput' | 'artifact') =>
    client[model] as unknown as Delegate
  return {
    sessions: createCollection<Session>(delegate('session'), sessionSchema, ['template', 'tags']),
    tasks: createCollection<Task>(delegate('task'), taskSchema, [
      'env',
      'resources',
      'waitingForInput',
      'autoFixChain',
      'steps',
      'metrics',
      'statusHistory',
    ]),
    apiKeys: createCollection<ApiKey>(delegate('apiKey'), apiKeySchema, ['sessionIds']),
    inputs: createCollection<TaskInput>(delegate('taskInput'), taskInputSchema, []),
    artifacts: createCollection<Artifact>(delegate('artifact'), artifactSchema, ['metadata', 'preview']),
    async ping() {
      await client.$queryRaw`SELECT version FROM migration LIMIT 1`
    },
    close: () => client.$disconnect(),
  }
}
