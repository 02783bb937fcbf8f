/** Who signed the results of a run, and for what. */
import { COMMAND } from '../../runner/words/command.ts'
import type { StoredManifest } from '../../schema/protocol/manifest.ts'
import { Scroll } from './scroll.tsx'
import type { ShownRun } from './stage-list.tsx'

export const Manifests = ({
  run,
  manifests,
  origin,
}: {
  run: ShownRun
  manifests: Map<string, StoredManifest>
  origin: string
}) => {
  if (manifests.size === 0) return <p class="muted">No runner has signed a result yet.</p>
  return (
    <>
      <p>
        Each runner signs what it hands in with its own Ed25519 key: the spec, the log, the hashes of all artifacts, and
        the checkpoints of other runners that it went on from. The server checked each signature on arrival, and again
        for this page. Check all of it yourself with
      </p>
      <pre>
        <code>
          {COMMAND} verify {run.id} --server {origin}
        </code>
      </pre>
      <Scroll labelledBy="manifests-caption">
        <table>
          <caption id="manifests-caption">
            Signed results, one a finished stage: fingerprint of the key, SHA-256 of spec and log
          </caption>
          <thead>
            <tr>
              <th scope="col">Stage</th>
              <th scope="col">Signed by</th>
              <th scope="col">Signature</th>
              <th scope="col">Key, spec and log</th>
            </tr>
          </thead>
          <tbody>
            {run.stages.map((stage) => {
              const stored = manifests.get(stage.key)
              if (!stored) return null
              const { manifest: signed, runner } = stored
              return (
                <tr>
                  <th scope="row">{stage.title}</th>
                  <td>
                    {runner.name}
                    <div class="hash">{runner.id}</div>
                    {signed?.began.map((one) => (
                      <div class="small">
                        went on from a checkpoint at {one.position} of {one.runner ?? 'an unknown runner'}
                        <div class="hash">{one.sha256}</div>
                      </div>
                    ))}
                  </td>
                  <td>
                    {signed ? 'verified' : <strong>does not verify</strong>}
                    <div>
                      <a
                        href={`/api/v1/jobs/${stage.key}/manifest`}
                        download={`${stage.key.slice(0, 12)}.manifest.json`}
                      >
                        Download<span class="visually-hidden"> the manifest: {stage.title}</span>
                      </a>
                    </div>
                  </td>
                  <td class="hash">
                    <div>key {runner.fingerprint}</div>
                    {signed && (
                      <>
                        <div>spec {signed.specSha256}</div>
                        <div>log {signed.log.sha256}</div>
                      </>
                    )}
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </Scroll>
    </>
  )
}
