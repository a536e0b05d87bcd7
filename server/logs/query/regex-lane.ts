import { setTimeout as wait } from 'node:timers/promises'
import { KerutaError } from '#protocol/errors.ts'
import type { StoreLocation } from '#server/store/open.ts'
import { Lane } from './lane.ts'
import type { AnswerOf, Operations, RequestOf } from './operations.ts'

const LEAST_WAIT_MS = 50

/**
 * Regular expressions may run for ever and cannot be interrupted from within. They have a thread of their own, one request at a time,
 * and the thread is ended where a request takes more CPU time than the budget.
 */
export class RegexLane {
  readonly #lane: Lane
  readonly #budgetMs: number
  #tail: Promise<unknown> = Promise.resolve()

  constructor(location: StoreLocation, budgetMs: number) {
    this.#lane = new Lane(location, { stays: false })
    this.#budgetMs = budgetMs
  }

  ask<Name extends keyof Operations>(name: Name, request: RequestOf<Name>): Promise<AnswerOf<Name>> {
    const answer = this.#tail.then(() => this.#run(name, request))
    this.#tail = answer.catch(() => undefined)
    return answer
  }

  close(): Promise<void> {
    return this.#lane.close()
  }

  async #run<Name extends keyof Operations>(name: Name, request: RequestOf<Name>): Promise<AnswerOf<Name>> {
    const before = await this.#lane.cpuMs()
    const finished = new AbortController()
    const answer = this.#lane.ask(name, request).finally(() => finished.abort())
    void this.#guard(before, finished.signal)
    return answer
  }

  async #guard(before: number, finished: AbortSignal): Promise<void> {
    let left = this.#budgetMs
    while (left > 0) {
      await wait(Math.max(left, LEAST_WAIT_MS), undefined, { signal: finished, ref: false }).catch(
        () => undefined,
      )
      if (finished.aborted) return
      left = this.#budgetMs - ((await this.#lane.cpuMs()) - before)
    }
    if (finished.aborted) return
    const seconds = this.#budgetMs / 1000
    await this.#lane.kill(
      new KerutaError(
        'QUERY_TIMEOUT',
        `the regular expression took more than ${seconds} s of computing and was stopped; nested repetitions such as (a+)+ are the usual cause: simplify it, search for a plain text, or narrow the search by time, level or source`,
      ),
    )
  }
}
