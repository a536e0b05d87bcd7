import { fstatSync, readFileSync } from 'node:fs'
import type { Dialog } from './dialog.ts'

/** Whether this process may read from a terminal that it was started at; in the background it would be stopped for trying. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY === true && isInForeground()
}

/**
 * Gives what comes on this process's stdin to the script: what is typed at a terminal, or lies in a pipe or a file. The end of a
 * stdin that held nothing is no end for the script: others may still answer it.
 * @param raw each key at once, also those that would end this process: the script's terminal knows what they mean
 * @returns stops
 */
export function passStdin(dialog: Dialog, raw: boolean): () => void {
  const { stdin } = process
  const atTerminal = hasTerminal()
  if (!atTerminal && !holdsSomething()) return () => {}
  if (atTerminal && raw) stdin.setRawMode(true)
  void pass(dialog, atTerminal)
  return () => {
    if (atTerminal && raw) stdin.setRawMode(false)
    stdin.destroy()
  }
}

async function pass(dialog: Dialog, endMatters: boolean): Promise<void> {
  let any = endMatters
  try {
    for await (const chunk of process.stdin) {
      any = true
      await dialog.type(chunk as Buffer, false)
    }
    if (any) await dialog.type(Buffer.alloc(0), true)
  } catch {
    // The script takes no more, or this process's stdin has gone: there is nothing left to pass.
  }
}

function holdsSomething(): boolean {
  try {
    const stats = fstatSync(0)
    return !process.stdin.isTTY && !stats.isCharacterDevice()
  } catch {
    return false
  }
}

/** tpgid and pgrp of /proc/self/stat */
function isInForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1')
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return group === foreground
  } catch {
    return true
  }
}
