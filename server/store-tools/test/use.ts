import { cp, rename, rm } from 'node:fs/promises'
import { openStore, type StoreLocation } from '#server/store/open.ts'
import type { Store } from '#server/store/store.ts'

/**
 * Opens a store for a while. A data folder is another one afterwards, with the same in it: the library keeps a closed database's file
 * open until it is collected, and this process' later closing of that file would break the locks of whoever has it next.
 */
export async function useStore<T>(location: StoreLocation, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(location)
  try {
    return await work(store)
  } finally {
    await store.close()
    if (location.kind === 'sqlite') await replaceByCopy(location.dataDir)
  }
}

async function replaceByCopy(folder: string): Promise<void> {
  for (;;) {
    try {
      await cp(folder, `${folder}.copy`, { recursive: true, filter: path => !path.endsWith('-shm') })
      break
    } catch (error) {
      // It was collected just now, and its files were tidied.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      await rm(`${folder}.copy`, { recursive: true, force: true })
    }
  }
  await rm(folder, { recursive: true })
  await rename(`${folder}.copy`, folder)
}
