import type { ArtifactView } from '#protocol/artifact.ts'
import { bytesText } from '../artifacts/bytes-text.ts'
import { table } from '../table.ts'
import { age } from './when.ts'

/** Artifacts as a table. */
export function artifactTable(artifacts: ArtifactView[], now: number): string {
  const rows = artifacts.map(artifact => ({
    path: artifact.path,
    size: artifact.complete
      ? bytesText(artifact.size)
      : `${bytesText(artifact.receivedBytes)} of ${bytesText(artifact.size)}`,
    type: artifact.contentType,
    age: age(now - Date.parse(artifact.createdAt)),
    id: artifact.id,
    description: artifact.description ?? '',
  }))
  return table(rows, ['path', 'size', 'type', 'age', 'id', 'description'], process.stdout.columns)
}
