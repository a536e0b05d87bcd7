import { realpathSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import type { ArtifactView } from '#protocol/artifact.ts'
import type { Page } from '#protocol/page.ts'
import { bytesText } from '../artifacts/bytes-text.ts'
import type { Context } from '../context.ts'
import { CommandError, EXIT, usageError } from '../exit.ts'
import { collect, pairs } from '../pairs.ts'
import { showPage } from '../show/pages.ts'
import { type Bind, orList, subcommand } from '../subcommands.ts'
import { taskPath } from '../target-path.ts'

export function define(command: Command, bind: Bind): void {
  listOptions(command).addHelpText(
    'after',
    `
Files that a task leaves behind. What lies in KERUTA_ARTIFACTS_DIR when a script ends is uploaded by itself.

Examples:
  $ keruta artifact add ./output/report.pdf --description "monthly report"
  $ keruta artifact list --task-id task123
  $ keruta artifact get report.pdf --task-id task123`,
  )
  orList(command, bind, list)
  const add = (name: string, summary: string, examples: string[]) =>
    subcommand(
      command,
      name,
      summary,
      examples.map(example => `keruta artifact ${example}`),
    )
  bind(
    list,
    listOptions(add('list', "a task's artifacts, by path", ['list', 'list --task-id task123 --json'])),
  )
  bind(
    upload,
    add('add', 'upload a file; another one of its path is replaced', [
      'add ./output/report.pdf --description "monthly report"',
      'add build.log --path logs/build.log --metadata commit=4f2a --metadata stage=ci',
    ])
      .argument('<file>', 'the file')
      .option('--path <path>', "its path among the task's artifacts; default: its name")
      .option('--description <text>', 'what it is')
      .option('--metadata <name=value>', 'kept with it; may be repeated', collect, []),
  )
  bind(
    get,
    add('get', 'download an artifact', [
      'get report.pdf --task-id task123',
      'get plots/loss.png -o /tmp/loss.png',
      'get 01890c5e-7a3b-7000-8000-000000000000 -o - | less',
    ])
      .argument('<id-or-path>', 'which one')
      .option('-o, --output <file>', 'where to; - for stdout; default: its name, here'),
  )
  bind(
    remove,
    add('remove', 'delete an artifact', [
      'remove report.pdf',
      'remove report.pdf --task-id task123',
    ]).argument('<id-or-path>', 'which one'),
  )
}

function listOptions(command: Command): Command {
  return command.option('--page <n>', 'from 0').option('--size <n>', 'artifacts a page', '100')
}

type Options = Record<string, unknown>

async function list(context: Context, { page, size }: Options): Promise<number> {
  const { artifactTable } = await import('../show/artifact.ts')
  return showPage<ArtifactView>(context, {
    path: `${taskPath(context.config)}/artifacts`,
    query: { page, size },
    noun: 'artifact',
    table: artifactTable,
    empty: 'the task has no artifacts',
  })
}

async function upload(context: Context, options: Options, file = ''): Promise<number> {
  const { config } = context
  const task = taskPath(config)
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found) throw usageError(`there is no file ${file}`)
  if (found.isDirectory())
    throw usageError(`${file} is a folder: keruta success --artifacts-dir uploads one, or name its files`)
  if (!found.isFile()) throw usageError(`${file} is no file that could be uploaded`)
  if (found.size > config.maxFileBytes)
    throw new CommandError(
      EXIT.failure,
      `${file} has ${bytesText(found.size)}, and KERUTA_MAX_FILE_SIZE is ${bytesText(config.maxFileBytes)}`,
    )
  const { path, description, metadata } = options
  const said = {
    path: (path as string | undefined) ?? basename(file),
    description: description as string | undefined,
    metadata: pairs('--metadata', metadata as string[]),
  }
  const [{ send }, { COMMAND_PATIENCE_MS, Patience }, { Progress }] = await Promise.all([
    import('../artifacts/send.ts'),
    import('../artifacts/patience.ts'),
    import('../artifacts/progress.ts'),
  ])
  const [api, secrets] = await Promise.all([context.api(), context.secrets()])
  const progress = new Progress(context, [found])
  const deps = {
    api,
    task,
    secrets,
    patience: new Patience(COMMAND_PATIENCE_MS, new AbortController().signal),
    idleMs: config.timeoutMs,
    onBytes: (bytes: number) => progress.bytes(bytes),
  }
  const artifact = await send(deps, { file: Buffer.from(realpathSync(file)) }, said).finally(() =>
    progress.end(),
  )
  if (config.json) context.print(JSON.stringify(artifact, null, 2))
  else context.done(`${artifact.path} is kept (${bytesText(artifact.size)}, ${artifact.id})`)
  return 0
}

async function get(context: Context, { output }: Options, which = ''): Promise<number> {
  const artifact = await findArtifact(context, which)
  if (!artifact.complete)
    throw new CommandError(
      EXIT.failure,
      `${artifact.path} is on its way: there is nothing to be had of it yet`,
    )
  const target = (output as string | undefined) ?? basename(artifact.path)
  if (output === undefined && statSync(target, { throwIfNoEntry: false }))
    throw usageError(`${target} is here already: name another file with -o, or -o - for stdout`)
  const [{ download, downloadTo }, { COMMAND_PATIENCE_MS, Patience }] = await Promise.all([
    import('../artifacts/download.ts'),
    import('../artifacts/patience.ts'),
  ])
  const api = await context.api()
  const patience = new Patience(COMMAND_PATIENCE_MS, new AbortController().signal)
  if (target === '-') {
    await pipeline(download(api, artifact, patience), process.stdout, { end: false })
    return 0
  }
  await downloadTo(target, api, artifact, patience)
  if (context.config.json) context.print(JSON.stringify({ ...artifact, file: target }, null, 2))
  else context.done(`${target}: ${bytesText(artifact.size)}`)
  return 0
}

async function remove(context: Context, _options: Options, which = ''): Promise<number> {
  const artifact = await findArtifact(context, which)
  const api = await context.api()
  await api.call('DELETE', `/artifacts/${encodeURIComponent(artifact.id)}`, {})
  if (context.config.json) context.print(JSON.stringify(artifact, null, 2))
  else context.done(`${artifact.path} is deleted`)
  return 0
}

/** By its path among the task's, or by its id, for which no task need be named. */
async function findArtifact(context: Context, which: string): Promise<ArtifactView> {
  const api = await context.api()
  if (UUID.test(which)) return api.get<ArtifactView>(`/artifacts/${which}`)
  // As it was named to add it.
  const path = /^\.{0,2}\//.test(which) ? basename(which) : which
  const query = new URLSearchParams({ path })
  const found = await api.get<Page<ArtifactView>>(`${taskPath(context.config)}/artifacts?${query}`)
  const artifact = found.content.find(({ complete }) => complete) ?? found.content[0]
  if (artifact) return artifact
  throw new CommandError(
    EXIT.failure,
    `the task has no artifact ${which}: keruta artifact list shows what it has`,
  )
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/
