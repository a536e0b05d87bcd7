import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { ConfigError, parseConfig } from '#server/config.ts'
import type { Surroundings } from './commands.ts'
import { createProgress } from './progress.ts'

enableCompileCache(join(import.meta.dirname, '../../.cache/compile'))
// What is loaded from here on starts faster.
const commands = await import('./commands.ts')

/** `npm run store -- …` and `keruta-server store …`. */

const progress = createProgress(process.stderr, Date.now)
const say = (text: string) => {
  progress.clear()
  process.stderr.write(`${text}\n`)
}

function surroundings(): Surroundings {
  const { databaseUrl, dataDir } = parseConfig(process.env)
  const { npm_lifecycle_event: script, INIT_CWD: from } = process.env
  return {
    own: databaseUrl ? { kind: 'mongodb', url: databaseUrl } : { kind: 'sqlite', dataDir },
    // npm runs scripts in the project's folder, and says where it was called.
    cwd: (script === 'store' && from) || process.cwd(),
    report: {
      progress: progress.show,
      problem: message => say(`problem: ${message}`),
      note: message => say(`note: ${message}`),
    },
    print(text) {
      progress.clear()
      process.stdout.write(`${text}\n`)
    },
  }
}

async function end(well: Promise<boolean>): Promise<void> {
  process.exitCode = (await well) ? 0 : 1
}

const program = new Command('keruta-server store')
  .description('copies, checks, saves and restores what a server stores, also while servers work on it')
  .exitOverride()
  .showSuggestionAfterError(false)
  .showHelpAfterError('(there are copy, check, backup and restore; --help says more)')
  .addHelpText(
    'after',
    `
A store is a data folder, sqlite:PATH or mongodb://host/database. The server's own is the one that its environment
names (KERUTA_STORE, DATABASE_URL, KERUTA_DATA_DIR). Whatever was interrupted goes on with the same command.

Exit codes: 0 all is well, 1 something is wrong, 2 the command makes no sense.`,
  )
program
  .command('copy')
  .description('make an empty store the same as another one, or go on with that, or bring it up to date')
  .argument('<from>', 'a store, which may be in use')
  .argument('<to>', 'a store that no server uses')
  .action((from, to) => end(commands.copy(from, to, surroundings())))
program
  .command('check')
  .description('read everything, and say what is wrong, where, and what to do')
  .argument('[store]', "a store or a backup; the server's own by default")
  .action(store => end(commands.check(store, surroundings())))
program
  .command('backup')
  .description("save the server's store into a folder, or bring an earlier backup up to date")
  .argument('<dir>', 'an empty folder, or an earlier backup of the same store')
  .action(dir => end(commands.backup(dir, surroundings())))
program
  .command('restore')
  .description("put a backup into the server's store, which must be empty")
  .argument('<dir>', 'a finished backup')
  .action(dir => end(commands.restore(dir, surroundings())))

try {
  await program.parseAsync(process.argv)
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    say(reasonOf(error))
    process.exitCode = error instanceof ConfigError ? 2 : commands.exitCodeOf(error)
  }
}

function reasonOf(error: unknown): string {
  const { message, stack, code } = error as NodeJS.ErrnoException
  if (commands.isExpected(error) || error instanceof ConfigError || code)
    return `keruta-server store: ${message}`
  return stack ?? String(error)
}
