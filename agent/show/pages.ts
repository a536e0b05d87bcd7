import type { Page } from '#protocol/page.ts'
import type { Context } from '../context.ts'
import { count } from './text.ts'

/** A list of the server's, as a command shows it. */
export interface Listing<T> {
  /** Below `/api/v1`. */
  path: string
  /** What is asked of it; what is undefined is left out. */
  query: Record<string, unknown>
  /** What it lists, one of them. */
  noun: string
  /** @param now ms */
  table(rows: T[], now: number): string
  /** What is said where there are none at all. */
  empty: string
}

/** Shows a page of a list, or prints it as JSON, and says what it does not show. @returns the exit code */
export async function showPage<T>(context: Context, listing: Listing<T>): Promise<number> {
  const { path, query, noun, table, empty } = listing
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  const api = await context.api()
  const found = await api.get<Page<T>>(`${path}?${new URLSearchParams(given as [string, string][])}`)
  if (context.config.json) {
    context.print(JSON.stringify(found, null, 2))
    return 0
  }
  const { content, page, size, totalElements } = found
  if (content.length > 0) context.print(table(content, Date.now()))
  const more = totalElements - page * size - content.length
  if (content.length === 0 && totalElements === 0) context.say(empty)
  else if (content.length === 0)
    context.say(`page ${page} is empty; there are ${count(totalElements, noun)} on the pages before`)
  else if (more > 0) context.say(`${count(more, `more ${noun}`)}: --page ${page + 1}`)
  return 0
}
