import type { Command } from 'commander'
import type { Handler } from '../cli.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .argument('[script]', 'a script file, or a command line for sh')
    .argument('[args...]', "the script's arguments")
    .option('--script <path>', 'a script file')
    .option('--name <name>', 'what the task is called on the server')
    .option('--disable-log-streaming', 'report only start and end')
    .option('--interactive, --input', 'keruta input and the console can answer the script')
    .option('--pty', 'give the script a terminal')
    .option('--timeout <duration>', 'kill it after this time (90, 30s, 5m) and fail with TIMEOUT')
    .option('--grace <duration>', 'time between SIGTERM and SIGKILL', '10s')
    .option(
      '--drain-timeout <duration>',
      'wait for the server after the end, longer while it makes progress',
      '10s',
    )
    .addHelpText(
      'after',
      `
The output goes to the terminal unchanged and, line by line, to the server. The exit code is the script's own, 128+n
where signal n ended it. A server that is down changes nothing for the script: lines are kept in ~/.keruta/spool and
delivered by the next keruta command. Inside the script, keruta log, progress, success and fail need no flags.
What leaves the machine shows secrets of the environment as *** (variables named *TOKEN*, *PASSWORD* …, KERUTA_MASK, keruta
redact add). Lines ::group::NAME, ::endgroup:: and ::metric NAME=NUMBER mark steps and numbers.

With --input a script that waits for input is shown with its question, and can be answered from elsewhere; what is typed
here reaches it too. With --pty it finds a terminal: colours, progress bars, questions that a pipe never sees.

Examples:
  $ keruta execute -- make -j4 test
  $ keruta execute ./nightly.sh --name nightly --timeout 2h
  $ keruta execute "python data_processing.py | tee out.txt"
  $ keruta execute --input --pty -- npm init
  $ keruta execute --task-id task123 --script /path/to/script.sh --log-level WARN
  $ keruta execute --task-id task123             the script that the server has for the task`,
    )
  action(async (context, options, script, ...args) => {
    const { execute } = await import('../execute/execute.ts')
    return execute(context, {
      ...options,
      script: options.script as string | undefined,
      word: script,
      words: args.flat(),
    })
  })
}
