'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ArtifactView } from '#protocol/artifact.ts'
import { readText } from '../../lib/api.ts'
import { bytes } from '../../lib/format.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { LogText } from '../log/log-text.tsx'
import { ErrorState, LoadingRows } from '../states.tsx'
import classes from './artifacts.module.css'

const TEXT_BYTES = 64 * 1024

interface PreviewProps {
  url: string
  name: string
  size: number
  kind: NonNullable<ArtifactView['preview']>['kind']
}

/** What a file looks like, without leaving the page. */
export function Preview({ url, name, size, kind }: PreviewProps) {
  if (kind === 'image') return <ImagePreview url={url} name={name} />
  if (kind === 'text') return <TextPreview url={url} size={size} />
  return <PdfPreview url={url} name={name} />
}

function ImagePreview({ url, name }: { url: string; name: string }) {
  const text = useMessages().artifacts
  const [failed, setFailed] = useState(false)
  if (failed) return <p className={classes.none}>{text.noImage}</p>
  return (
    <a href={`${url}?inline=true`} target="_blank" rel="noreferrer" title={text.open}>
      {/* biome-ignore lint/performance/noImgElement: the file is shown as it is; there is nothing to be optimised */}
      <img className={classes.image} src={`${url}?inline=true`} alt={name} onError={() => setFailed(true)} />
    </a>
  )
}

function TextPreview({ url, size }: { url: string; size: number }) {
  const text = useMessages().artifacts
  const read = useQuery({
    queryKey: ['artifact-text', url],
    queryFn: ({ signal }) => readText(url, TEXT_BYTES, signal),
    staleTime: Infinity,
  })
  if (read.isError) return <ErrorState error={read.error} onRetry={() => void read.refetch()} />
  if (read.data === undefined) return <LoadingRows rows={3} />
  return (
    <>
      <pre className={classes.text} data-testid="artifact-text">
        <LogText text={read.data} />
      </pre>
      {size > TEXT_BYTES && <p className={classes.none}>{text.firstPart(bytes(TEXT_BYTES), bytes(size))}</p>}
    </>
  )
}

/** The browser's own viewer; where it has none, the link. */
function PdfPreview({ url, name }: { url: string; name: string }) {
  const text = useMessages().artifacts
  return (
    <>
      <iframe className={classes.pdf} src={`${url}?inline=true`} title={name} />
      <p className={classes.none}>
        <a href={`${url}?inline=true`} target="_blank" rel="noreferrer" aria-label={text.openPdf(name)}>
          {text.open}
        </a>
      </p>
    </>
  )
}
