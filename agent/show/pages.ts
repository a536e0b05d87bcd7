import type { Page } from '#protocol/page.ts'
import type { Context } from '../context.ts'
import { count } from './text.ts'

/**
 * Says of a list what it does not show: why it is empty, or how many there are on further pages.
 * @param noun what it lists, one of them
 * @param empty what is said where there are none at all
 */
export function sayRest(
  context: Context,
  { content, page, size, totalElements }: Page<unknown>,
  noun: string,
  empty: string,
): void {
  const more = totalElements - page * size - content.length
  if (content.length === 0 && totalElements === 0) context.say(empty)
  else if (content.length === 0)
    context.say(`page ${page} is empty; there are ${count(totalElements, noun)} on the pages before`)
  else if (more > 0) context.say(`${count(more, `more ${noun}`)}: --page ${page + 1}`)
}
