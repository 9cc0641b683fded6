import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { helpFor } from '../../../component/export/error-help.ts'
import { EXPORT_KINDS, type ExportKind } from '../../../component/model/export-definition.ts'
import { SECTIONS } from '../../../scripts/docs/failures.ts'

const KINDS: Readonly<Record<string, ExportKind>> = {
  'Kinesis Data Streams': 'kinesis',
  'IoT SiteWise': 'sitewise',
  HTTP: 'http',
  'S3 tasks': 's3',
  'IoT Analytics': 'iotAnalytics'
}

/** Kind and name of everything that docs/export-failures.md tells. */
const told = SECTIONS.flatMap(({ title, rows }) => {
  const kind = KINDS[title]
  const kinds = kind === undefined ? EXPORT_KINDS : [kind]
  return rows.flatMap(({ names }) => names.flatMap((name) => kinds.map((of) => [of, name] as const)))
})

describe('the help for errors of exports', () => {
  it('knows every error that docs/export-failures.md explains', () => {
    assert.ok(told.length > 100)
    const unknown = told.filter(([kind, name]) => helpFor(kind, `${name}: text`) === undefined)
    assert.deepEqual(unknown, [])
  })

  it('consists of parts of sentences', () => {
    for (const [kind, name] of told) {
      const { meaning = '', remedy = '' } = helpFor(kind, name) ?? {}
      assert.match(meaning, /^\S.*[^.]$/, name)
      assert.match(remedy, /^\S.*[^.]$/, name)
    }
  })

  it('tells properties of SiteWise from destinations', () => {
    assert.notDeepEqual(
      helpFor('sitewise', 'ResourceNotFoundException'),
      helpFor('kinesis', 'ResourceNotFoundException')
    )
  })

  it('tells how a private authority gets trusted, and another host from a certificate that is over', () => {
    assert.match(helpFor('http', 'SELF_SIGNED_CERT_IN_CHAIN: text')?.remedy ?? '', /root certificate/)
    assert.match(helpFor('s3', 'ERR_TLS_CERT_ALTNAME_INVALID: text')?.meaning ?? '', /another host/)
    assert.match(helpFor('kinesis', 'CERT_HAS_EXPIRED: text')?.remedy ?? '', /clock/)
  })

  it('tells a proxy that wants a user from one that has none for the destination', () => {
    const text = 'ProxyError: the proxy refused the connection with status'
    assert.match(helpFor('kinesis', `${text} 407 Proxy Authentication Required`)?.meaning ?? '', /user and password/)
    assert.doesNotMatch(helpFor('kinesis', `${text} 502 Bad Gateway`)?.meaning ?? '', /user and password/)
  })

  it('does not know what nobody has seen', () => {
    assert.equal(helpFor('http', 'NeverSeen: text'), undefined)
  })
})
