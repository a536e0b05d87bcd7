import type { Command } from 'commander'
import { LEVELS, SOURCES } from '#protocol/levels.ts'
import type { Context } from '../context.ts'
import { SETTINGS } from '../settings.ts'
import { sessionIds, taskIds } from './ids.ts'
import { type Wanted, wantedBy } from './words.ts'

export interface Candidate {
  word: string
  about: string
}

/** What could stand under the cursor; `files` where the shell should offer its own. */
export interface Candidates {
  found: Candidate[]
  files: boolean
}

/** @param words after the program's name; the last one is not finished */
export async function candidates(context: Context, words: string[]): Promise<Candidates> {
  const program = await context.program(words)
  const { flags, ...wanted } = wantedBy(program, words)
  const partial = wanted.kind === 'value' ? wanted.partial : (words.at(-1) ?? '')
  const before = wanted.kind === 'value' ? wanted.before : ''
  const { found, files } = await offersOf(context, wanted, { partial, flags })
  return {
    files,
    found: found
      .filter(({ word }) => word.startsWith(partial))
      .map(({ word, about }) => ({ word: before + word, about })),
  }
}

async function offersOf(
  context: Context,
  wanted: Wanted,
  asked: { partial: string; flags: Record<string, string> },
): Promise<Candidates> {
  switch (wanted.kind) {
    case 'command':
      return { found: wanted.of.commands.map(describe), files: false }
    case 'option':
      return { found: [...optionsOf(wanted.of), { word: '--help', about: 'all about it' }], files: false }
    case 'value': {
      const { long = '', flags } = wanted.option
      if (/<(path|file|dir|folder|directory)>/.test(flags)) return { found: [], files: true }
      if (long === '--task-id') return { found: await taskIds(context, asked), files: false }
      if (long === '--session-id') return { found: await sessionIds(context, asked), files: false }
      return { found: plain(valuesOf(long, wanted.of)), files: false }
    }
    case 'argument': {
      const path = pathOf(wanted.of)
      if (wanted.name === 'task-id')
        return { found: await taskIds(context, { ...asked, status: STATUS_FOR[path] }), files: false }
      if (wanted.name === 'session-id') return { found: await sessionIds(context, asked), files: false }
      const values = ARGUMENTS[`${path} ${wanted.name}`]
      if (values) return { found: plain(values(wanted.operands)), files: false }
      return { found: [], files: FILE_ARGUMENTS.has(wanted.name) }
    }
    case 'foreign':
      return { found: [], files: true }
  }
}

/** Whom it makes sense to do it to. */
const STATUS_FOR: Record<string, string> = {
  'tasks cancel': 'PENDING,PROCESSING',
  'tasks retry': 'FAILED,CANCELLED',
  'tasks delete': 'PENDING,COMPLETED,FAILED,CANCELLED',
  input: 'PROCESSING',
}

const FILE_ARGUMENTS = new Set(['script', 'file', 'path'])
const TASK_STATUSES = ['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED']
const SESSION_STATUSES = ['ACTIVE', 'COMPLETED', 'ARCHIVED']

/** By command and argument; given the words before it. */
const ARGUMENTS: Record<string, (operands: string[]) => readonly string[]> = {
  'log level': () => [...LEVELS, '-'],
  'config action': () => ['show', 'set', 'path'],
  'config key': ([action]) => (action === 'set' ? Object.values(SETTINGS).map(({ key }) => key) : []),
  'completion shell': () => ['bash', 'zsh', 'fish'],
  'redact action': () => ['add'],
}

function valuesOf(option: string, command: Command): readonly string[] {
  switch (option) {
    case '--level':
    case '--min-level':
    case '--log-level':
      return LEVELS
    case '--source':
      return SOURCES
    case '--format':
      return ['text', 'json', 'ndjson', 'csv', 'raw']
    case '--color':
      return ['auto', 'always', 'never']
    case '--status':
      return pathOf(command).startsWith('sessions') ? SESSION_STATUSES : TASK_STATUSES
    default:
      return []
  }
}

function optionsOf(command: Command): Candidate[] {
  return command.options.flatMap(({ long, short, description, hidden }) => {
    const word = long ?? short
    return word && !hidden ? [{ word, about: description }] : []
  })
}

function describe(command: Command): Candidate {
  return { word: command.name(), about: command.description() }
}

function plain(words: readonly string[]): Candidate[] {
  return words.map(word => ({ word, about: '' }))
}

/** Without the program's name. */
function pathOf(command: Command): string {
  return command.parent?.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}
