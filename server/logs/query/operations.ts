import { exportStep } from './export.ts'
import { readPage } from './page.ts'
import { readOn } from './read.ts'
import { searchTasks } from './search.ts'
import { readSlice } from './slice.ts'
import { readStats } from './stats.ts'

/** What a worker thread can be asked. Requests and answers cross the thread border as they are. */
export const OPERATIONS = {
  page: readPage,
  slice: readSlice,
  read: readOn,
  stats: readStats,
  search: searchTasks,
  export: exportStep,
}

export type Operations = typeof OPERATIONS
export type RequestOf<Name extends keyof Operations> = Parameters<Operations[Name]>[1]
export type AnswerOf<Name extends keyof Operations> = Awaited<ReturnType<Operations[Name]>>
