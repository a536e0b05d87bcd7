import { resolve } from 'node:path'
import { KerutaError } from '#protocol/errors.ts'
import {
  namedByVariable,
  openStoreReader,
  openStoreToFill,
  type StoreLocation,
  unfinished,
} from '#server/store/open.ts'
import { backupSink, checkFiles, openBackup } from './backup/backup.ts'
import { readHead } from './backup/layout.ts'
import { type CheckReport, checkSource } from './check.ts'
import { locationOf, nameOf, UsageError } from './place.ts'
import { whole } from './progress.ts'
import type { Sink } from './sink.ts'
import { type Source, storeSource } from './source.ts'
import { storeSink } from './store-sink.ts'
import { type Result, transfer } from './transfer.ts'

export interface Surroundings {
  /** The server's own store. */
  own: StoreLocation
  cwd: string
  report: CheckReport
  print(text: string): void
}

/** @returns whether all is well; what is not was reported */
export async function copy(from: string, to: string, around: Surroundings): Promise<boolean> {
  const [source, target] = [locationOf(from, around.cwd), locationOf(to, around.cwd)]
  if (nameOf(source) === nameOf(target))
    throw new UsageError(`FROM and TO are the same store, ${nameOf(source)}`)
  await refuseBackup(source)
  return run(await openSource(source), () => openSink(target), nameOf(target), around)
}

export async function backup(folder: string, around: Surroundings): Promise<boolean> {
  const path = resolve(around.cwd, folder)
  return run(await openOwnSource(around), async () => backupSink(path), path, around)
}

export async function restore(folder: string, around: Surroundings): Promise<boolean> {
  const path = resolve(around.cwd, folder)
  const source = await openBackup(path)
  if (!(await filesAreWhole(path, around))) return false
  return run(source, () => openOwnSink(around), nameOf(around.own), around)
}

/** @param place of a store or a backup; without one the server's own store */
export async function check(place: string | undefined, around: Surroundings): Promise<boolean> {
  const source = place === undefined ? await openOwnSource(around) : await openNamed(place, around)
  if (!source) return false
  const told = counting(around)
  try {
    const { entities, logs, lines, blobs } = await checkSource(source, told.report)
    around.print(
      `${told.problems() === 0 ? 'nothing is wrong' : `${told.problems()} problems`} in ${source.name}: ` +
        `${whole(entities)} entities, ${whole(logs)} logs with ${whole(lines)} lines, ${whole(blobs)} artifacts`,
    )
    return told.problems() === 0
  } finally {
    await source.close()
  }
}

async function run(
  source: Source,
  open: () => Promise<Sink>,
  target: string,
  around: Surroundings,
): Promise<boolean> {
  try {
    const sink = await open()
    try {
      const result = await transfer(source, sink, around.report)
      around.print(
        result
          ? summaryOf(source.name, target, result)
          : `${target} is not whole yet: see the problems above; what is there stays, and the same command goes on from it`,
      )
      return result !== undefined
    } finally {
      await sink.close()
    }
  } finally {
    await source.close()
  }
}

function summaryOf(
  from: string,
  to: string,
  { entities, logs, lines, blobs, blobBytes, grown }: Result,
): string {
  const text = [
    `${from} is in ${to} now`,
    [
      many(entities.sessions, 'session'),
      many(entities.tasks, 'task'),
      many(entities.apiKeys, 'API key'),
      many(entities.inputs, 'input'),
      `${many(blobs, 'artifact')} with ${many(blobBytes, 'byte')}`,
    ].join(', '),
    `${many(logs, 'log')} with ${many(lines, 'line')}, each compared: all are the same`,
  ]
  if (grown > 0)
    text.push(`${grown} of them grew meanwhile; the same command, run again, brings what has come since`)
  return text.join('\n')
}

function many(count: number, what: string): string {
  return `${whole(count)} ${what}${count === 1 ? '' : 's'}`
}

/** @returns nothing where it is a backup whose files are not whole, which was reported */
async function openNamed(place: string, around: Surroundings): Promise<Source | undefined> {
  const location = locationOf(place, around.cwd)
  if (location.kind === 'mongodb' || !(await readHead(location.dataDir))) return openSource(location)
  return (await filesAreWhole(location.dataDir, around)) ? openBackup(location.dataDir) : undefined
}

function openOwnSource({ own }: Surroundings): Promise<Source> {
  return namedByVariable(own, () => openSource(own))
}

async function openOwnSink({ own }: Surroundings): Promise<Sink> {
  const sink = await namedByVariable(own, () => openSink(own))
  return {
    ...sink,
    begin: from => namedByVariable(own, () => sink.begin(from)),
    keepSecret: secret => namedByVariable(own, () => sink.keepSecret(secret)),
  }
}

async function openSource(location: StoreLocation): Promise<Source> {
  const store = await openStoreReader(location)
  const mark = await store.copyMark()
  if (!mark || mark.done) return storeSource(store, nameOf(location))
  await store.close()
  throw new KerutaError('CONFLICT', `${nameOf(location)} ${unfinished(mark)}`)
}

async function openSink(location: StoreLocation): Promise<Sink> {
  return storeSink(await openStoreToFill(location), nameOf(location))
}

async function refuseBackup(location: StoreLocation): Promise<void> {
  if (location.kind === 'sqlite' && (await readHead(location.dataDir)))
    throw new UsageError(`${location.dataDir} is a backup: \`store restore\` puts it into the server's store`)
}

async function filesAreWhole(folder: string, around: Surroundings): Promise<boolean> {
  const told = counting(around)
  await checkFiles(folder, told.report)
  return told.problems() === 0
}

function counting({ report }: Surroundings) {
  let problems = 0
  const problem = (message: string) => {
    problems++
    report.problem(message)
  }
  return { report: { ...report, problem }, problems: () => problems }
}

/** Exit codes: 0 all is well, 1 something is wrong, 2 the command makes no sense. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof UsageError ? 2 : 1
}

export function isExpected(error: unknown): boolean {
  return error instanceof KerutaError || error instanceof UsageError
}
