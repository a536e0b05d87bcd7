import { afterEach, beforeEach, describe } from 'vitest'
import { blobContract } from './contract/blobs.ts'
import { collectionContract } from './contract/collections.ts'
import { copyContract } from './contract/copies.ts'
import { segmentContract } from './contract/segments.ts'
import { transitionContract } from './contract/transitions.ts'
import type { Store } from './store.ts'

/** A store over an empty place of its own. */
export interface OpenedStore {
  store: Store
  /** Closes the store and opens what it left behind. */
  reopen(): Promise<Store>
  cleanup(): Promise<void>
}

/** What every adapter must keep of the port's promises. */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`the ${name} store`, () => {
    let opened: OpenedStore
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.cleanup())
    const store = () => opened.store
    const reopen = () => opened.reopen()

    collectionContract(store, reopen)
    transitionContract(store)
    segmentContract(store, reopen)
    blobContract(store, reopen)
    copyContract(store, reopen)
  })
}
